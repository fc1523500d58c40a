# The least that an SFTP server says: its version, and nothing after the client has finished.
import sys
sys.stdin.buffer.read(9)
sys.stdout.buffer.write(b"\0\0\0\5\2\0\0\0\3")
sys.stdout.flush()
sys.stdin.buffer.read()
