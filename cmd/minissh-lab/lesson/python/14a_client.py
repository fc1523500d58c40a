import sys


#[starter
def encode(data):
    return data + b'\n'


def decode(stream):  # 练习：data 里有换行怎么办？ / exercise: and a newline inside data?
    return stream.split(b'\n')[:-1]


#]
#[mended
def encode(data):  # \ 写成 \\，换行写成 \n / \ becomes \\, a newline becomes \n
    return data.replace(b'\\', b'\\\\').replace(b'\n', b'\\n') + b'\n'


def decode(stream):
    messages = []
    for line in stream.split(b'\n')[:-1]:
        parts = line.split(b'\\\\')  # 先拆开 \\，剩下的 \n 才是换行 / \\ first, then \n
        messages.append(b'\\'.join(p.replace(b'\\n', b'\n') for p in parts))
    return messages


#]
if sys.argv[-1] == 'encode':  # check 用：每行一条消息，十六进制 / for check: a message a line, in hex
    print(b''.join(encode(bytes.fromhex(line)) for line in sys.stdin).hex())
elif sys.argv[-1] == 'decode':
    for message in decode(bytes.fromhex(sys.stdin.readline())):
        print(message.hex())
else:
    for a, b in [(b'hello', b'world'), (b'', b'x'), (b'a\nb', b'c'), (b'\\', b'\\n'), (b'\\\n', b'')]:
        got = decode(encode(a) + encode(b))
        assert got == [a, b], (a, b, got)
    print('OK')
