import socket

# 模拟 ssh 的客户端
ssh = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
ssh.connect(('127.0.0.1', 8080))
while True:
    cmd = input('[root@localhost ~]# ').strip()
    if not cmd:
        continue
    ssh.send(cmd.encode('utf-8'))
    # 服务端 send 了两次: stdout 和 stderr，所以 recv 两次
    stdout = ssh.recv(1024)
    stderr = ssh.recv(1024)
    if not stdout and not stderr:
        break
    print(stdout.decode('utf-8'), end='')
    print(stderr.decode('utf-8'), end='')
