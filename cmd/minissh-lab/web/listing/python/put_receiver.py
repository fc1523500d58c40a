import json
import socket
import struct
import sys
#?delay import time

#:part accept
#:part exact

size = struct.unpack('i', recv_exact(4))[0]  #@ recv:length
command = recv_exact(size)  #@ recv:command
print(command)  #@ message:1
head = recv_exact(4)  #@ recv:header_length
size = struct.unpack('i', head)[0]
header = recv_exact(size)  #@ recv:json
size = json.loads(header)['file_size']
data = recv_exact(size)  #@ recv:data
print(data)  #@ message:2
recv_exact(1)  # 没有了 / nothing more comes  #@ recv:end
