from socket import socket, AF_INET, SOCK_STREAM


def main():
    tcp = socket(AF_INET, SOCK_STREAM)
    tcp.connect(('127.0.0.1', 8080))
    while True:
        msg = input('请输入: ')
        if msg == '':
            continue
        tcp.send(msg.encode('utf-8'))
        data = tcp.recv(1024)
        if not data:
            break
        print('服务端返回:', msg)
    tcp.close()


main()
