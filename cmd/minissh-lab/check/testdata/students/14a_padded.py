import sys

SIZE = 1000


def encode(data):
    return data.ljust(SIZE)


def decode(stream):
    return [stream[i:i + SIZE].rstrip(b' ') for i in range(0, len(stream), SIZE)]


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
