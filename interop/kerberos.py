"""A realm of Kerberos for interop/proxies.py: a KDC of MIT's on a port of its own, a user, and services
at localhost. Everything is in one folder; nothing of the machine's settings is read or changed.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from intermediaries import folder, free_port, program, running

REALM = "TOWLINE.TEST"
# What is of the realm in the environment, and what it finds there of the machine's.
OURS = ("KRB5_CONFIG", "KRB5_KDC_PROFILE", "KRB5CCNAME", "KRB5_KTNAME", "KRB5_CLIENT_KTNAME")


@dataclass
class Realm:
    place: Path
    # For whoever is to be in the realm, without a ticket.
    environment: dict

    def keytab(self, name, *principals):
        """A file with the keys of services, as they are from now on."""
        path = self.place / name
        path.unlink(missing_ok=True)
        for principal in principals:
            self.admin(f"ktadd -k {path} {principal}")
        path.chmod(0o644)
        return path

    def ticket(self, user="ann"):
        """The environment of this user once logged on."""
        cache = self.place / f"tickets-{secrets.token_hex(4)}"
        logged_on = self.environment | {"KRB5CCNAME": f"FILE:{cache}"}
        self.run(["kinit", "-k", "-t", self.place / "users", user], logged_on)
        return logged_on

    def nobody(self):
        """The environment of somebody without a ticket."""
        return self.environment | {"KRB5CCNAME": f"FILE:{self.place}/none"}

    def admin(self, query):
        self.run([program("kadmin.local"), "-q", query], self.environment)

    def run(self, command, environment):
        run = subprocess.run([str(part) for part in command], env=os.environ | environment,
                             capture_output=True, text=True, timeout=60)
        if run.returncode != 0:
            raise AssertionError(f"{command}: {run.stderr[-600:]}")


@contextlib.contextmanager
def realm():
    """A realm with the user ann and the services HTTP/localhost and HTTP/elsewhere."""
    kdc, util = program("krb5kdc"), program("kdb5_util")
    for name in ("kinit", "kadmin.local"):
        program(name)
    place, port = folder("kerberos"), free_port()
    (place / "krb5.conf").write_text(f"""
[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{port}
    }}
[domain_realm]
    localhost = {REALM}
""")
    (place / "kdc.conf").write_text(f"""
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {REALM} = {{
        database_name = {place}/database
        key_stash_file = {place}/stash
        acl_file = {place}/acl
        max_life = 1h
    }}
[logging]
    kdc = FILE:{place}/log
""")
    environment = {"KRB5_CONFIG": str(place / "krb5.conf"),
                   "KRB5_KDC_PROFILE": str(place / "kdc.conf")}
    here = Realm(place, environment)
    here.run([util, "create", "-s", "-r", REALM, "-P", secrets.token_hex(8)], environment)
    for principal in ("ann", "HTTP/localhost", "HTTP/elsewhere"):
        here.admin(f"addprinc -randkey {principal}")
    here.keytab("users", "ann")
    with running([kdc, "-n", "-P", place / "pid"], port, place / "output", environment):
        yield here
    shutil.rmtree(place, ignore_errors=True)
