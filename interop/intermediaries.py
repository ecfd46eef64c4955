"""Other people's proxies for interop/proxies.py: squid, tinyproxy, dante, ssh, haproxy,
nginx and apache.

Each runs on a port of its own, with a configuration of its own in a folder of its own, and leaves
nothing behind on the machine. Whatever is not installed raises Skipped.
"""

import base64
import contextlib
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from checks import Skipped

CERTIFICATES = Path(os.environ["CERTIFICATES"])
WORK = Path(os.environ["WORK"])
START_SECONDS = 30
SQUID_HELPERS = Path("/usr/lib/squid")
# The last two characters have a meaning in an address.
USER, PASSWORD = "ann", "s3cret:%"
# Like no other word, so that it is found where it is told.
TINYPROXY_PASSWORD = "t1nys3cret"
# The user of this machine, as dante wants one; it exists for dante alone.
ACCOUNT = "towline-proxies"


def program(name):
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise Skipped(f"{name} is not installed")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def folder(name):
    """An empty folder that the proxies' own users may write to."""
    path = WORK / f"{name}-{secrets.token_hex(4)}"
    path.mkdir(parents=True)
    path.chmod(0o777)
    return path


@contextlib.contextmanager
def running(command, port, log, environment=None):
    """A proxy, once it listens."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                   env=os.environ | (environment or {}))
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{command[0]} does not listen: {log.read_text()[-600:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Log:
    """What a proxy writes down, from now on."""

    def __init__(self, path):
        self.path = path
        self.begin = path.stat().st_size if path.exists() else 0

    def count(self, pattern, wanted):
        """How many lines have this; waits a moment for as many as are wanted, and for none above."""
        deadline = time.monotonic() + 5
        while True:
            time.sleep(0.3)
            with open(self.path, errors="replace") as log:
                log.seek(self.begin)
                found = sum(pattern in line for line in log)
            if found >= wanted or time.monotonic() > deadline:
                return found


def crypted(*arguments):
    """A password's hash, without the password among the arguments."""
    run = subprocess.run(["openssl", "passwd", *arguments, "-stdin"], input=f"{PASSWORD}\n",
                         check=True, capture_output=True, text=True)
    return run.stdout.strip()


def encoded_password():
    return base64.b64encode(PASSWORD.encode()).decode()


# --- forward --------------------------------------------------------------------


@contextlib.contextmanager
def squid(scheme=None, tls=False, realm=None, keytab=None):
    """Its address without credentials, and its log of requests. For Negotiate it takes a realm, and the
    keys by which it knows its tickets."""
    squid = program("squid")
    place, port = folder("squid"), free_port()
    where = f"127.0.0.1:{port}"
    lines = ["http_access allow localhost"]
    environment = {}
    if scheme == "negotiate":
        helper = SQUID_HELPERS / "negotiate_kerberos_auth"
        if not helper.exists():
            raise Skipped(f"squid's {helper.name} is not installed")
        environment = realm.environment | {"KRB5_KTNAME": str(keytab), "KRB5RCACHETYPE": "none"}
        # A ticket is for a name.
        where = f"localhost:{port}"
        lines = [f"auth_param negotiate program {helper} -s HTTP/localhost",
                 "auth_param negotiate keep_alive on",
                 "acl known proxy_auth REQUIRED", "http_access allow known"]
    elif scheme == "ntlm":
        # Squid's own user has to reach both.
        shutil.copy(Path(__file__).parent / "ntlm_helper.py", place)
        python = shutil.which("python3", path="/usr/bin") or sys.executable
        lines = [f"auth_param ntlm program {python} {place}/ntlm_helper.py {USER} {encoded_password()}",
                 "auth_param ntlm keep_alive on",
                 "acl known proxy_auth REQUIRED", "http_access allow known"]
    elif scheme:
        lines = ["acl known proxy_auth REQUIRED", "http_access allow known"]
        hashed = hashlib.md5(f"{USER}:towline:{PASSWORD}".encode()).hexdigest()
        helper, users = {
            "basic": ("basic_ncsa_auth", f"{USER}:{crypted('-apr1')}\n"),
            # It takes no password with a colon but as a hash.
            "digest": ("digest_file_auth", f"{USER}:towline:{hashed}\n"),
            # It knows nobody, and takes everybody who goes through all rounds.
            "fake-ntlm": ("ntlm_fake_auth", None),
        }[scheme]
        if not (SQUID_HELPERS / helper).exists():
            raise Skipped(f"squid's {helper} is not installed")
        if users:
            (place / "users").write_text(users)
            form = " -c" if scheme == "digest" else ""
            lines = [f"auth_param {scheme} program {SQUID_HELPERS / helper}{form} {place}/users",
                     f"auth_param {scheme} realm towline", *lines]
        else:
            lines = [f"auth_param ntlm program {SQUID_HELPERS / helper}", *lines]
    if tls:
        if "with-openssl" not in subprocess.run([squid, "-v"], capture_output=True, text=True).stdout:
            raise Skipped("this squid has no https_port")
        lines += [f"https_port 127.0.0.1:{port} tls-cert={CERTIFICATES}/cert.pem "
                  f"tls-key={CERTIFICATES}/key.pem"]
    else:
        lines += [f"http_port 127.0.0.1:{port}"]
    lines += [
        "http_access deny all", "cache deny all", "shutdown_lifetime 0 seconds",
        f"pid_filename {place}/pid", f"access_log stdio:{place}/access", f"cache_log {place}/log",
        f"coredump_dir {place}", "logfile_rotate 0", "visible_hostname towline.invalid",
        "max_filedescriptors 1024", "pinger_enable off",
    ]
    (place / "conf").write_text("\n".join(lines) + "\n")
    with running([squid, "-N", "-f", place / "conf"], port, place / "output", environment):
        yield (f"https://localhost:{port}" if tls else f"http://{where}"), place / "access"


@contextlib.contextmanager
def tinyproxy(locked=False):
    """Its address, and its log."""
    tinyproxy = program("tinyproxy")
    place, port = folder("tinyproxy"), free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 600", "Allow 127.0.0.1", "MaxClients 20",
             "LogLevel Connect"]
    if locked:
        # Its configuration has no room for other characters.
        lines.append(f"BasicAuth {USER} {TINYPROXY_PASSWORD}")
    (place / "conf").write_text("\n".join(lines) + "\n")
    with running([tinyproxy, "-d", "-c", place / "conf"], port, place / "output"):
        yield f"127.0.0.1:{port}", place / "output"


@contextlib.contextmanager
def dante(locked=False):
    """Its address, and its log. It knows the users of its machine alone: it is given one more, which
    nobody but it can see."""
    danted = program("danted")
    if os.geteuid() != 0:
        raise Skipped("danted runs as root alone")
    place, port = folder("dante"), free_port()
    (place / "conf").write_text(f"""
logoutput: {place}/log
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: {"username" if locked else "none"}
user.privileged: root
user.unprivileged: nobody
client pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    log: connect error
}}
socks pass {{
    from: 127.0.0.0/8 to: 0.0.0.0/0
    protocol: tcp
    log: connect error
}}
""")
    command = [danted, "-f", place / "conf", "-p", place / "pid"]
    if locked:
        alone = ["unshare", "--mount"]
        if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
            raise Skipped("no mount namespace can be made here")
        lines = {"passwd": f"{ACCOUNT}:x:64999:64999::/nonexistent:/usr/sbin/nologin\n",
                 "shadow": f"{ACCOUNT}:{crypted('-6')}:19000:0:99999:7:::\n"}
        for name, line in lines.items():
            shutil.copy(f"/etc/{name}", place / name)
            with open(place / name, "a") as file:
                file.write(line)
        command = [*alone, "sh", "-ec", 'cd "$1"; shift; for file in passwd shadow; do '
                   'mount --bind "$file" "/etc/$file"; done; exec "$@"', "sh", place, *command]
    try:
        with running(command, port, place / "output"):
            yield f"127.0.0.1:{port}", place / "log"
    finally:
        (place / "shadow").unlink(missing_ok=True)


@contextlib.contextmanager
def ssh():
    """Its address: that of a client's -D, whose server is started by it and listens nowhere."""
    ssh, sshd = program("ssh"), program("sshd")
    if os.geteuid() != 0:
        raise Skipped("sshd wants to be root")
    place, port = folder("ssh"), free_port()
    place.chmod(0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    # Where sshd keeps nothing; it insists.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (place / "conf").write_text(f"""
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
StrictModes no
PermitRootLogin prohibit-password
PidFile none
""")
    command = [ssh, "-F", "none", "-N", "-D", f"127.0.0.1:{port}", "-i", place / "user",
               "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
               "-o", f"UserKnownHostsFile={place}/known",
               "-o", f"ProxyCommand={sshd} -i -f {place}/conf", "root@server.invalid"]
    with running(command, port, place / "output"):
        yield f"127.0.0.1:{port}"


# --- reverse --------------------------------------------------------------------


@contextlib.contextmanager
def haproxy(server_port, tls=False, idle_seconds=600):
    """The address of a server that it stands before."""
    haproxy = program("haproxy")
    place, port = folder("haproxy"), free_port()
    bind = f"127.0.0.1:{port}"
    if tls:
        both = (CERTIFICATES / "cert.pem").read_text() + (CERTIFICATES / "key.pem").read_text()
        (place / "both.pem").write_text(both)
        bind += f" ssl crt {place}/both.pem"
    (place / "conf").write_text(f"""
global
    maxconn 100
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel {idle_seconds}s
frontend near
    bind {bind}
    default_backend far
backend far
    server one 127.0.0.1:{server_port}
""")
    with running([haproxy, "-db", "-f", place / "conf"], port, place / "output"):
        yield f"{'wss' if tls else 'ws'}://localhost:{port}"


@contextlib.contextmanager
def nginx(server_port, tls=False, idle_seconds=600):
    """The address of a server that it stands before."""
    nginx = program("nginx")
    place, port = folder("nginx"), free_port()
    listen = f"listen 127.0.0.1:{port};"
    if tls:
        listen = (f"listen 127.0.0.1:{port} ssl; ssl_certificate {CERTIFICATES}/cert.pem; "
                  f"ssl_certificate_key {CERTIFICATES}/key.pem;")
    temporary = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "conf").write_text(f"""
daemon off;
pid {place}/pid;
error_log {place}/log;
events {{}}
http {{
    access_log off;
    {temporary}
    server {{
        {listen}
        location / {{
            proxy_pass http://127.0.0.1:{server_port};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host $http_host;
            proxy_read_timeout {idle_seconds}s;
            proxy_send_timeout {idle_seconds}s;
        }}
    }}
}}
""")
    with running([nginx, "-e", place / "log", "-c", place / "conf"], port, place / "output"):
        yield f"{'wss' if tls else 'ws'}://localhost:{port}"


@contextlib.contextmanager
def apache(server_port, realm, keytab):
    """The address of a server that it stands before and that only those with a ticket reach, and its log
    of requests."""
    apache = program("apache2")
    modules = Path("/usr/lib/apache2/modules")
    if not (modules / "mod_auth_gssapi.so").exists():
        raise Skipped("apache's mod_auth_gssapi is not installed")
    place, port = folder("apache"), free_port()
    names = ("mpm_event authn_core authz_core authz_user auth_gssapi proxy proxy_http "
             "proxy_wstunnel")
    loaded = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names.split())
    (place / "conf").write_text(f"""
{loaded}
ServerRoot {place}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {place}/pid
DefaultRuntimeDir {place}
ErrorLog {place}/log
User www-data
Group www-data
LogFormat "%>s %u" short
CustomLog {place}/access short
ProxyTimeout 600
<Location />
    AuthType GSSAPI
    AuthName towline
    GssapiCredStore keytab:{keytab}
    GssapiAllowedMech krb5
    Require valid-user
    ProxyPass http://127.0.0.1:{server_port}/ upgrade=websocket
</Location>
""")
    with running([apache, "-f", place / "conf", "-DFOREGROUND"], port, place / "output",
                 realm.environment | {"KRB5RCACHETYPE": "none"}):
        yield f"ws://localhost:{port}", place / "access"
