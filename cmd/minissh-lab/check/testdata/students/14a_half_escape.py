import sys


def encode(data):
    return data.replace(b'\n', b'\\n') + b'\n'


def decode(stream):
    lines = stream.split(b'\n')[:-1]
    return [line.replace(b'\\n', b'\n') for line in lines]


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
