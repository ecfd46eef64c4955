"""A helper of squid's that asks for NTLM and checks the answer: MS-NLMP, version 2, one user.

    ntlm_helper.py USER PASSWORD-IN-BASE64

What squid ships either takes everybody or needs a domain of Windows. This one is written from the
specification and apart from the library, so that both would have to be wrong in the same way.
"""

import base64
import hmac
import os
import struct
import sys
import time

UNICODE, NTLM, TARGET, EXTENDED, TARGET_INFO = 1, 0x200, 4, 0x80000, 0x800000
BITS_128, BITS_56 = 0x20000000, 0x80000000


def md4(data):
    """RFC 1320, which OpenSSL 3 has no more."""
    mask = 0xFFFFFFFF
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + b"\0" * (-(len(data) + 9) % 64) + struct.pack("<Q", len(data) * 8)
    rounds = (
        (lambda x, y, z: x & y | ~x & z, 0, range(16), (3, 7, 11, 19)),
        (lambda x, y, z: x & y | x & z | y & z, 0x5A827999,
         [row + 4 * column for row in range(4) for column in range(4)], (3, 5, 9, 13)),
        (lambda x, y, z: x ^ y ^ z, 0x6ED9EBA1,
         (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15), (3, 9, 11, 15)),
    )
    for at in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[at:at + 64])
        a, b, c, d = state
        for mix, constant, order, shifts in rounds:
            for number, index in enumerate(order):
                total = (a + (mix(b, c, d) & mask) + words[index] + constant) & mask
                shift = shifts[number % 4]
                a, b, c, d = d, (total << shift | total >> (32 - shift)) & mask, b, c
        state = [(old + new) & mask for old, new in zip(state, (a, b, c, d))]
    return struct.pack("<4I", *state)


def challenge():
    """A CHALLENGE_MESSAGE (MS-NLMP 2.2.1.2), and the eight bytes in it that count."""
    nonce = os.urandom(8)
    name = "TOWLINE".encode("utf-16-le")
    stamp = struct.pack("<Q", int((time.time() + 11644473600) * 10_000_000))
    info = (struct.pack("<HH", 2, len(name)) + name + struct.pack("<HH", 7, 8) + stamp + b"\0" * 4)
    flags = UNICODE | NTLM | TARGET | EXTENDED | TARGET_INFO | BITS_128 | BITS_56 | 0x10000
    head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, len(name), len(name), 56, flags) + nonce
    head += b"\0" * 8 + struct.pack("<HHI", len(info), len(info), 56 + len(name)) + b"\0" * 8
    return nonce, head + name + info


def knows(message, nonce, user, password):
    """Whether an AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3) is the user's (3.3.2)."""
    def field(at):
        length, _, offset = struct.unpack_from("<HHI", message, at)
        return message[offset:offset + length]
    if message[:12] != b"NTLMSSP\0\3\0\0\0":
        return False
    answer, domain, name = field(20), field(28), field(36).decode("utf-16-le")
    key = md4(password.encode("utf-16-le"))
    owf = hmac.digest(key, name.upper().encode("utf-16-le") + domain, "md5")
    proof = hmac.digest(owf, nonce + answer[16:], "md5")
    return name == user and len(answer) > 44 and hmac.compare_digest(proof, answer[:16])


def main(user, password):
    assert md4(b"abc").hex() == "a448017aaf21d8525fc10ae87aa6729d"
    nonce = b""
    for line in sys.stdin:
        word, _, token = line.strip().partition(" ")
        try:
            if word == "YR":
                nonce, message = challenge()
                print("TT", base64.b64encode(message).decode(), flush=True)
            elif knows(base64.b64decode(token), nonce, user, password):
                print("AF", user, flush=True)
            else:
                print("NA wrong", flush=True)
        except (ValueError, struct.error) as error:
            print("BH", error, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], base64.b64decode(sys.argv[2]).decode())
