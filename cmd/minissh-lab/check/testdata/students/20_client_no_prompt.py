import socket
import sys


def main():
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(('127.0.0.1', 9000))
    while True:
        line = sys.stdin.readline()
        if not line:
            break
        client.send(line.strip('\r\n').encode('utf-8'))
        print(client.recv(65535).decode('utf-8'), flush=True)
    client.close()


main()
