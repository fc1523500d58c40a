import json
import socket
import struct
#?gap import time

#:part connect
#:part putfile
client.send(command)  #@ send:command
#?gap time.sleep($GAP)  #@ nap:command
client.send(size)  #@ send:header_length
#?gap time.sleep($GAP)  #@ nap:header_length
client.send(header)  #@ send:json
#?gap time.sleep($GAP)  #@ nap:json
client.send(data)  #@ send:data
#?gap time.sleep($GAP)  #@ nap:data
client.close()  #@ close
