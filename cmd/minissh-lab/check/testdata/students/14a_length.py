import struct
import sys


def encode(data):
    return struct.pack('!I', len(data)) + data


def decode(stream):
    messages = []
    while stream:
        n, = struct.unpack('!I', stream[:4])
        messages.append(stream[4:4 + n])
        stream = stream[4 + n:]
    return messages


if sys.argv[-1] == 'encode':
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
