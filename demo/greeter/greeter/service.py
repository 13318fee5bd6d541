"""A greeting with a seal: the CRC-32 of its text, by zlib."""
import sys

from greeter import _seal


def greeting(name):
    """Return the greeting and its seal, eight hex digits."""
    text = "Hello, %s!" % name
    return "%s %08x" % (text, _seal.crc32(text.encode()))


def main():
    print(greeting(sys.argv[1] if len(sys.argv) > 1 else "world"))
    print("built against zlib %s" % _seal.built_against)
