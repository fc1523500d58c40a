package sftp

import (
	"encoding/binary"
	"os/user"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Extensions that the library does not have (PROTOCOL of OpenSSH, sections 4.8 and 4.9).
const (
	limitsName = "limits@openssh.com"      // without it scp and sftp ask for 32 KiB at a time
	expandName = "expand-path@openssh.com" // what ~user/file is
)

// extensions answers requests for them. The library still sees each request, and answers it in its
// turn: limits@ as unsupported, which its answer here replaces; expand-path@ as REALPATH.
type extensions struct {
	home   string
	others bool // whether ~user is that user's home

	mu    sync.Mutex      // guards the rest
	asked map[uint32]bool // ids of requests for limits
}

type (
	extendedPacket struct {
		ID   uint32
		Name string
		Rest []byte `ssh:"rest"`
	}
	pathPacket struct {
		ID   uint32
		Path string
	}
	pairPacket   struct{ Name, Version string }
	limitsPacket struct {
		ID                              uint32
		Packet, Read, Write, OpenHandle uint64 // bytes, bytes, bytes, and 0: not told
	}
)

// packet is one with its length and kind.
func packet(kind byte, body any) []byte {
	rest := ssh.Marshal(body)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(rest)+1)), kind), rest...)
}

// request is what the library gets in place of an EXTENDED packet.
func (e *extensions) request(whole []byte) []byte {
	var asked extendedPacket
	if ssh.Unmarshal(whole[5:], &asked) != nil {
		return whole
	}
	switch asked.Name {
	case limitsName:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked[asked.ID] = true
	case expandName:
		var named struct{ Path string }
		if ssh.Unmarshal(asked.Rest, &named) == nil {
			return packet(typeRealpath, pathPacket{asked.ID, e.expand(named.Path)})
		}
	}
	return whole
}

// expand is a path without its ~ at the beginning. One of somebody who is not known keeps it.
func (e *extensions) expand(path string) string {
	name, rest, _ := strings.Cut(path, "/")
	name, tilde := strings.CutPrefix(name, "~")
	switch {
	case !tilde:
		return path
	case name == "":
		return e.home + "/" + rest
	case e.others:
		if u, err := user.Lookup(name); err == nil {
			return u.HomeDir + "/" + rest
		}
	}
	return path
}

// answer is what the client gets in place of one of the library's packets.
func (e *extensions) answer(whole []byte) []byte {
	switch whole[4] {
	case typeVersion:
		for _, name := range []string{limitsName, expandName} {
			whole = append(whole, ssh.Marshal(pairPacket{name, "1"})...)
		}
		binary.BigEndian.PutUint32(whole, uint32(len(whole)-4))
	case typeStatus:
		id := binary.BigEndian.Uint32(whole[5:])
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.asked[id] {
			delete(e.asked, id)
			return packet(typeReply, limitsPacket{id, longest, longestRead, longestRead, 0})
		}
	}
	return whole
}
