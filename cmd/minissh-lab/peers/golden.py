"""Golden bytes of the dialects, from Python's own struct and json: NAME HEX, a line each."""
import hashlib
import json
import struct


def frame(head, order=''):
    data = json.dumps(head).encode('utf-8')
    return struct.pack(order + 'i', len(data)) + data


def superset(name, md5, size, **more):
    return dict({'filename': name, 'md5': md5, 'total_size': size, 'file_name': name,
                 'file_size': size, 'filesize': size, 'data_size': size}, **more)


def ultimate(data, order=''):
    return frame(superset('a.txt', hashlib.md5(data).hexdigest(), len(data)), order) + data


course = {'filename': 'a.txt', 'md5': 'xxdxxx', 'total_size': 11}
hello = b'hello world'
md5 = hashlib.md5(hello).hexdigest()
empty_md5 = hashlib.md5(b'').hexdigest()
vectors = [
    ('length-3000', struct.pack('<i', 3000)),
    ('length-3000-big', struct.pack('!i', 3000)),
    ('length-0', struct.pack('<i', 0)),
    ('length-minus-1', struct.pack('<i', -1)),
    ('length-max', struct.pack('<i', 2**31 - 1)),
    ('echo', 'hello, é你好 123'.encode('utf-8').upper()),
    ('naive', b'out\n' + b'err\n'),
    ('ack-length', str(3000).encode('utf-8')),
    ('ack', b'recv_ready'),
    ('simple', struct.pack('<i', 8) + b'out\n' + b'err\n'),
    ('simple-big', struct.pack('!i', 8) + b'out\n' + b'err\n'),
    ('simple-empty', struct.pack('<i', 0)),
    ('header-course', frame(course, '<')),
    ('header-data-size', frame({'data_size': 11}, '<')),
    ('header-superset', frame(superset('a.txt', 'xxdxxx', 11), '<')),
    ('header-superset-big', frame(superset('a.txt', 'xxdxxx', 11), '!')),
    ('header-chinese', frame(superset('你好.txt', 'xxdxxx', 11), '<')),
    ('header-odd-name', frame(superset('"\\\n\t\r\b\f\x7f\x1b\U0001f600', 'xxdxxx', 2**31), '<')),
    ('header-error', frame(superset('no.txt', '', 0, error='no such file'), '<')),
    ('ultimate', ultimate(hello, '<')),
    ('ultimate-big', ultimate(hello, '!')),
    ('file-get', b'get a.txt'),
    ('file-get-answer', frame(superset('a.txt', md5, 11), '<') + hello),
    ('file-get-empty', frame(superset('empty.txt', empty_md5, 0), '<')),
    ('file-put', b'put a.txt' + frame({'filename': 'a.txt', 'md5': 'xxdxxx', 'file_size': 11}, '<') + hello),
    ('file-put-ours', b'put a.txt' + frame(superset('a.txt', md5, 11), '<') + hello),
    ('oo-put', frame({'cmd': 'put', 'filename': 'a.txt', 'filesize': 11}, '<') + hello),
    ('oo-put-ours', frame(dict({'cmd': 'put'}, **superset('a.txt', md5, 11)), '<') + hello),
    ('oo-get', json.dumps(['get', 'a.txt']).encode('utf-8')),
    ('oo-get-chinese', json.dumps(['get', '你好.txt']).encode('utf-8')),
]
print('# Golden bytes of the dialects, printed by peers/golden.py with Python\'s struct and json.')
print('# NAME, then the bytes in hex.')
for name, data in vectors:
    print(name, data.hex())
