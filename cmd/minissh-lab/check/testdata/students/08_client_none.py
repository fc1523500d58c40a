from socket import *

tcp_client = socket(AF_INET, SOCK_STREAM)
tcp_client.connect(('127.0.0.1', 8080))
try:
    while True:
        msg = input('msg: ')
        if msg is None:
            continue
        tcp_client.send(msg.encode('utf-8'))
        back = tcp_client.recv(1024)
        if not back:
            raise ConnectionError('server closed')
        print('back:', back.decode('utf-8'))
except (ConnectionError, EOFError) as e:
    print(e)
tcp_client.close()
