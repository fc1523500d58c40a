import socket
import sys
#?delay import time

#:part accept
#:part exact

while True:
    data = recv_exact($SIZE)  #@ call
    print(data.rstrip(b' '))  #@ message
