$MESSAGES
command, data = messages
header = json.dumps({
    'filename': 'a.txt', 'md5': 'xxdxxx',
    'file_size': len(data)}).encode()
size = struct.pack('i', len(header))
