import sys


def encode(data):
    return data + b'|'


def decode(stream):
    parts = stream.split(b'|')
    return parts[:-1]


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
