import sys


def encode(data):
    return bytes([min(len(data), 16)]) + data[:16].ljust(16)


def decode(stream):
    all = []
    for i in range(0, len(stream), 17):
        all.append(stream[i + 1:i + 17][:stream[i]])
    return all


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
