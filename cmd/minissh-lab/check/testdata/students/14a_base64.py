import base64
import sys


def encode(data):
    return base64.b64encode(data) + b';'


def decode(stream):
    return [base64.b64decode(part) for part in stream.split(b';')[:-1]]


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
