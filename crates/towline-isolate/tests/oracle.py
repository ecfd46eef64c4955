"""Addresses, and whether Python calls them global: oracle.py SEED COUNT. Read by tests/it/class/oracle.rs.

Writes records of 18 bytes: the family (4 or 6), 1 if global, the address in 16 bytes. The same seed gives the
same addresses.
"""

import ipaddress
import random
import sys

# Where something begins or ends, so that addresses beside it are often met; the rest are anywhere.
NEAR_V4 = [
    "0.0.0.0", "10.0.0.0", "11.0.0.0", "100.64.0.0", "100.128.0.0", "127.0.0.0", "128.0.0.0", "168.63.129.16",
    "169.254.0.0", "169.254.169.254", "169.255.0.0", "172.16.0.0", "172.32.0.0", "192.0.0.0", "192.0.1.0",
    "192.0.2.0", "192.0.3.0", "192.31.196.0", "192.52.193.0", "192.88.99.0", "192.88.100.0", "192.168.0.0",
    "192.169.0.0", "192.175.48.0", "198.18.0.0", "198.20.0.0", "198.51.100.0", "198.51.101.0", "203.0.113.0",
    "203.0.114.0", "224.0.0.0", "240.0.0.0", "255.255.255.255",
]
NEAR_V6 = [
    "::", "::1", "::1:0:0", "::ffff:0:0", "::1:0:0:0", "::ffff:0:0:0", "::ffff:1:0:0", "64:ff9b::", "64:ff9b::1:0:0",
    "64:ff9b:1::", "64:ff9b:2::", "100::", "100:0:0:1::", "100:0:0:2::", "2000::", "2001::", "2001:1::", "2001:1::1",
    "2001:2::", "2001:2:1::", "2001:3::", "2001:4::", "2001:4:112::", "2001:4:113::", "2001:10::", "2001:20::",
    "2001:30::", "2001:40::", "2001:200::", "2001:db8::", "2001:db9::", "2002::", "2003::", "2620:4f:8000::",
    "2620:4f:8001::", "3fff::", "3fff:1000::", "4000::", "5f00::", "5f01::", "fc00::", "fe00::", "fe80::", "fec0::",
    "ff00::", "fd00:ec2::254",
]


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    noise = random.Random(seed)
    near_v4 = [int(ipaddress.IPv4Address(text)) for text in NEAR_V4]
    near_v6 = [int(ipaddress.IPv6Address(text)) for text in NEAR_V6]

    def v4():
        if noise.random() < 0.7:
            return noise.getrandbits(32)
        # As far away as a range may be wide, each width as often.
        return (noise.choice(near_v4) + noise.choice((-1, 1)) * noise.getrandbits(noise.randrange(1, 24))) % 2**32

    def v6():
        kind = noise.random()
        if kind < 0.4:
            return 1 << 125 | noise.getrandbits(125)
        if kind < 0.5:
            return noise.getrandbits(128)
        if kind < 0.6:
            return noise.choice((0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96)) | v4()
        if kind < 0.65:
            return 0x2002 << 112 | v4() << 80 | noise.getrandbits(80)
        if kind < 0.7:
            return 1 << 125 | noise.getrandbits(60) << 64 | noise.choice((0, 0x200)) << 48 | 0x5EFE << 32 | v4()
        return (noise.choice(near_v6) + noise.choice((-1, 1)) * noise.getrandbits(noise.randrange(1, 120))) % 2**128

    out = bytearray()
    for index in range(count):
        if index % 2:
            address = ipaddress.IPv4Address(v4())
        else:
            address = ipaddress.IPv6Address(v6())
        # A mapped address is the one that it is mapped from; old Pythons say that none is global.
        judged = getattr(address, "ipv4_mapped", None) or address
        out += bytes((address.version, judged.is_global)) + int(address).to_bytes(16, "big")
        if len(out) > 1 << 16:
            sys.stdout.buffer.write(out)
            out.clear()
    sys.stdout.buffer.write(out)


main()
