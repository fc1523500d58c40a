package lesson

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"net"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/cmd/minissh-lab/folder"
)

var getPut = Lesson{
	Name:  "17-18",
	Title: t("文件：get 和 put", "files: get and put"),
	Run: t("先 get 一个文件；再 put：客户端发完命令，马上发长度、报头、文件。服务端晚一点才 "+
		"recv。", "First get a file; then put: the client sends the command and at once length, "+
		"header and file. The server is late with its recv."),
	Code: "phone.send('put a.txt'.encode('utf-8'))\n" +
		"phone.send(struct.pack('i', len(header_bytes)))\nphone.send(header_bytes)\n" +
		"phone.send(data)\n# 服务端： / the server:\ncmds = " +
		"conn.recv(8096).decode('utf-8').split()",
	Ask: Question{
		t("服务端的第一个 recv 里有什么？", "what does the server's first recv hold?"), []Option{
			wrong(
				"put a.txt",
				"put a.txt",
				"客户端要是发完命令就停下来等（get 就是这样），答案就是它。put 不等，服务端来读的"+
					"时"+
					"候已经全到了。",
				"It would be, if the client waited after its command, as get does. put does "+
					"not wait, and everything is there when the server reads."),
			wrong(
				"put a.txt 和长度",
				"put a.txt and the length",
				"recv 不会在哪次 send 的后面停住：缓冲区里有多少，它就拿多少（最多 8096）。",
				"recv does not stop after any particular send: it takes what is in the buffer "+
					"(up to 8096)."),
			right("全部：命令、长度、报头、文件", "all of it: command, length, header, file"),
		}},
	Play: playFiles,
	Why: t("四次 send，都进了同一条流。get 没事，因为客户端发完就等；put 不等，就粘在一起。"+
		"命令也需要边界。", "Four sends, one stream. get is safe since the client waits after "+
		"its command; put does not wait, and all of it sticks. A command needs a boundary, "+
		"too."),
	Change: t("framed：命令前面也加长度；wait：客户端发完命令等一下。服务端的第一个 recv 各是什"+
		"么？",
		"framed: the command has a length, too; wait: the client waits after its command. What "+
			"does the first recv hold in each?"),
	Knob: Knob{t("put 怎么发", "how put is sent"), []string{"framed", "wait"},
		changePut},
	Exercise: t("0 B、1 B、1 MiB、中文名，两个方向 md5 都要对；../x 要拒绝：",
		"0 B, 1 B, 1 MiB, a Chinese name, right md5 both ways; ../x refused:"),
	Check: "minissh-lab check 17-18 -- python3 my_server.py\n" +
		"    minissh-lab check 17-18 --client -- python3 my_client.py",
	Hints: [3]Text{
		t("put 的时候，第一个 recv 里除了命令还有什么？那些字节你丢掉了吗？",
			"With a put, what is in the first recv besides the command? Do you throw it away?"),
		t("把收到还没用的字节留着，下一次先用它们：一个带缓冲的 Stream 类，take(n) 不够就再 recv。",
			"Keep bytes that were received and not yet used, and use them first: a class Stream "+
				"with a buffer, whose take(n) calls recv when it has too few."),
		t("这里的命令没有边界：找到 {，往前 4 个字节是长度，再往前是命令。文件名用 "+
			"os.path.basename。",
			"The command has no boundary here: find the {; the 4 bytes before it are the length, "+
				"and the command comes before these. Use os.path.basename for the name."),
	},
}

func playFiles(s *Stage) (int, error) {
	if err := playGet(s); err != nil {
		return 0, err
	}
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	parts := putParts()
	header := parts[2]
	total := 0
	for _, p := range parts {
		if _, err := l.client.Write(p); err != nil {
			return 0, err
		}
		total += len(p)
	}
	if err := s.arrived(l.server, total); err != nil {
		return 0, err
	}
	seg := segments(l.client)
	first, err := recv(l.server, 8096)
	if err != nil {
		return 0, err
	}
	s.Out.Raw("\n")
	s.Lanes(Lanes{Sends: parts, Segments: seg, Buffer: total, Recvs: [][]byte{first}})
	s.Out.Raw("\n")
	s.Fields(
		Field{parts[0], "", t("命令", "command"), 0},
		Field{parts[1], fmt.Sprint(len(header)), t("报头长度", "header length"), 1},
		Field{parts[2], "JSON", t("报头", "header"), 2}, Field{parts[3], "", t("文件", "file"), 3})
	switch {
	case bytes.Equal(first, bytes.Join(parts, nil)):
		return 2, nil
	case bytes.Equal(first, parts[0]):
		return 0, nil
	}
	return 1, nil
}

// playGet gets a file from a real server and compares md5.
func playGet(s *Stage) error {
	from, err := folder.Temp()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := folder.Temp()
	if err != nil {
		return err
	}
	defer to.Close()
	addr, stop, err := s.serveDialect("file", dialect.Options{Folder: from})
	if err != nil {
		return err
	}
	defer stop()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := dialect.NewClient(conn, dialect.Find("file"),
		dialect.Options{Folder: to, Timeout: waitLimit})
	for _, name := range []string{"a.txt", "你好.txt", "../x"} {
		r, err := c.Exchange(s.Ctx, "get "+name)
		if err != nil {
			zh, en, _, _ := dialect.Explain(err)
			s.Say(f("get %s → %s", "get %s → %s", name, "").withTitle(Text{zh, en}))
			continue
		}
		s.Sayf("get %s → %d 字节，md5 %x", "get %s → %d bytes, md5 %x", name, r.Header.Size,
			md5.Sum(folder.Samples()[name]))
	}
	return nil
}

// putParts are the four sends of a put: command, length, header, file.
func putParts() [][]byte {
	header := dialect.EncodeFields(dialect.Field{Key: "filename", Value: "a.txt"},
		dialect.Field{Key: "md5", Value: "xxdxxx"}, dialect.Field{Key: "file_size", Value: 11})
	return [][]byte{[]byte("put a.txt"), dialect.EncodeLength(false, int32(len(header))), header,
		[]byte("hello world")}
}

// changePut sends it with a framed command, or with a wait after the command.
func changePut(s *Stage, value string) error {
	how, err := choice(value, "framed", "wait")
	if err != nil {
		return err
	}
	l, err := dialLink()
	if err != nil {
		return err
	}
	defer l.close()
	parts := putParts()
	rest := bytes.Join(parts[1:], nil)
	var recvs [][]byte
	if how == "framed" {
		parts = append([][]byte{dialect.EncodeLength(false, int32(len(parts[0])))}, parts...)
		stream := bytes.Join(parts, nil)
		l.client.Write(stream)
		if err := s.arrived(l.server, len(stream)); err != nil {
			return err
		}
		for _, n := range []int{4, len(parts[1]), len(rest)} { // recv_exact, three times
			b, err := readExactly(l.server, n)
			if err != nil {
				return err
			}
			recvs = append(recvs, b)
		}
	} else {
		for _, b := range [][]byte{parts[0], rest} { // rest: when the command has been received
			l.client.Write(b)
			got, err := recv(l.server, 8096)
			if err != nil {
				return err
			}
			recvs = append(recvs, got)
		}
	}
	s.Lanes(Lanes{Sends: parts, Segments: "-", Buffer: -1, Recvs: recvs})
	if how == "framed" {
		s.Say(t("全粘在一起也没关系：先收 4 字节，再按长度收命令，剩下的一个也不会多拿。",
			"All of it stuck together, and no harm done: four bytes, then a command of that "+
				"length, and not one byte too many."))
	} else {
		s.Say(t("这次分开了，因为客户端等到服务端收走才发。可是谁该等、等多久，协议里没有写：靠不"+
			"住。",
			"Apart this time, as the client waited until the server had received. No rule says "+
				"who waits, or how long: it cannot be relied on."))
	}
	return nil
}
