package lesson

import (
	"net"
	"os"
	"path/filepath"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
)

var families = Lesson{
	Name:  "1-5",
	Title: t("一个回显，三个地址族", "one echo, three address families"),
	Run: t("同一个回显服务端，绑定在 AF_UNIX、AF_INET、AF_INET6 上。\n"+
		"socket 买手机，bind 绑号码，listen 开机，accept 接电话，recv/send 说话，close 挂断。",
		"The same echo server on AF_UNIX, AF_INET and AF_INET6.\n"+
			"socket: buy a phone; bind: its number; listen: switch it on; accept: answer; "+
			"recv/send: talk; close: hang up."),
	Code: "phone = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n" +
		"phone.bind(('127.0.0.1', 8080))\nphone.listen(5)\nconn, addr = phone.accept()\n" +
		"conn.send(conn.recv(1024).upper())",
	Ask: Question{
		t("谁有端口，谁有文件？", "which of them has a port, which a file?"), []Option{
			wrong(
				"三个都有端口",
				"all three have a port",
				"端口是 TCP、UDP 才有的。AF_UNIX 不走网络，没有端口：它的地址是一个文件路径。",
				"Ports belong to TCP and UDP. AF_UNIX does not use the network and has no "+
					"port: its name is a path."),
			wrong(
				"AF_UNIX 两样都没有",
				"AF_UNIX has neither",
				"客户端总得有个地址才能找到它：AF_UNIX 的地址就是一个文件。",
				"A client must find it by some name: with AF_UNIX, the name is a file on the "+
					"disk."),
			right(
				"AF_INET 和 AF_INET6 有端口，AF_UNIX 有文件",
				"AF_INET and AF_INET6 have a port, AF_UNIX a file"),
		}},
	Play: playFamilies,
	Why: t("bind 给套接字一个地址：IP 加端口（0-65535，其中 0-1023 留给系统），或者一个文件路径。"+
		"地址不同，收发数据完全一样。",
		"bind puts the socket under a name: an IP address and a port (0-65535, of which 0-1023 "+
			"are reserved), or a path. The names differ; receiving and sending do not."),
	Change: t("换一个地址族，单独看它：地址变了，收发数据变了吗？",
		"Take one family alone: its name is another; are sending and receiving?"),
	Knob: Knob{t("地址族", "the family"), []string{"unix", "inet", "inet6"},
		func(s *Stage, value string) error {
			family, err := choice(value, "unix", "inet", "inet6")
			if err == nil {
				_, err = echoFamilies(s, "AF_"+strings.ToUpper(family))
			}
			return err
		}},
	Exercise: t("写一个 AF_UNIX 的回显服务端，Ctrl-C 后把文件删掉。让实验室检查：",
		"Write an echo server on AF_UNIX that removes its file on Ctrl-C. Have it checked:"),
	Check: "minissh-lab check 1-5 --at unix:/tmp/my.sock -- python3 my_server.py",
	Hints: [3]Text{
		t("Ctrl-C 在 Python 里是一个异常。哪一个？",
			"Ctrl-C is an exception in Python. Which one?"),
		t("KeyboardInterrupt 会从 accept 里抛出来。不管怎么结束都要做的事，放在 finally 里。",
			"KeyboardInterrupt comes out of accept. What must happen however it ends goes into "+
				"finally."),
		t("try: 循环；except KeyboardInterrupt: pass；finally: phone.close()，再 os.remove(path)。",
			"try: the loop; except KeyboardInterrupt: pass; finally: phone.close(), then "+
				"os.remove(path)."),
	},
}

func playFamilies(s *Stage) (int, error) { return echoFamilies(s, "") }

// echoFamilies echoes over each family, or over one.
func echoFamilies(s *Stage, only string) (int, error) {
	dir, remove, err := tempDir()
	if err != nil {
		return 0, err
	}
	defer remove()
	path := filepath.Join(dir, "echo.sock")
	rows := [][]string{
		{"family", "bind", "send → recv", s.pick(t("端口", "port")), s.pick(t("文件", "file"))}}
	ports, files, hasUnix := 0, 0, true
	for _, x := range []struct{ family, network, address string }{
		{"AF_UNIX", "unix", path}, {"AF_INET", "tcp", "127.0.0.1:0"}, {"AF_INET6", "tcp",
			"[::1]:0"},
	} {
		if only != "" && only != x.family {
			continue
		}
		addr, stop, err := s.serveOn(x.network, x.address, "echo", dialect.Options{})
		if err != nil {
			hasUnix = hasUnix && x.family != "AF_UNIX"
			rows = append(rows,
				[]string{x.family, x.address, s.pick(t("这台机器没有", "not on this machine"))})
			continue
		}
		answer, err := echoOnce(x.network, addr)
		if err != nil {
			stop()
			return 0, err
		}
		port, file := "-", "-"
		if _, p, err := net.SplitHostPort(addr); err == nil {
			port = p
			ports++
		} else if _, err := os.Lstat(path); err == nil {
			file = filepath.Base(path)
			files++
		}
		stop()
		rows = append(rows, []string{x.family, addr, `"hello" → "` + answer + `"`, port, file})
	}
	s.Table(rows...)
	switch {
	case files == 1 && ports > 0:
		return 2, nil
	case !hasUnix && ports > 0:
		s.Say(t("这里没有 AF_UNIX，那一行没有量（Windows 的 Python 也没有）：在 Linux、macOS 上，"+
			"它的"+
			"地址是一个文件。",
			"There is no AF_UNIX here, so its row was not measured (nor has Python on Windows "+
				"one): on Linux and macOS its address is a file."))
		return 2, nil
	}
	return 0, nil
}

// echoOnce is connect, send, recv, close.
func echoOnce(network, addr string) (string, error) {
	conn, err := net.Dial(network, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		return "", err
	}
	b, err := recv(conn, 1024)
	return string(b), err
}
