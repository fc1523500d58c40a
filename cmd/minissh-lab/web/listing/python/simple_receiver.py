import socket
import struct
import sys
#?delay import time

#:part accept
#:part exact

while True:
    head = recv_exact(4)  #@ recv:length
    # 用之前先检查：15b 课 / check it before use: lesson 15b
    size = struct.unpack('i', head)[0]
    data = recv_exact(size)  #@ recv:data
    print(data)  #@ message
