package lesson

import (
	"fmt"

	"minissh/cmd/minissh-lab/dialect"
)

var ultimateVersion = Lesson{
	Name:  "16",
	Title: t("终极版：报头", "the ultimate version: a header"),
	Run: t("先发报头的长度（4 字节），再发 JSON 报头，再发数据。报头里能写的不只是长度，数据也可"+
		"以超过 4 字节整数的上限。", "First the header's length (4 bytes), then the JSON header, "+
		"then the "+
		"data. A header can say more than a length, and has no 4-byte limit."),
	Code: "header_dic = {'filename': 'a.txt', 'md5': 'xxdxxx', 'total_size': 11}\n" +
		"header_bytes = json.dumps(header_dic).encode('utf-8')\n" +
		"conn.send(struct.pack('i', len(header_bytes)))\nconn.send(header_bytes)\nconn.send(data)",
	Ask: Question{
		t("开头的 38 00 00 00 是什么？", "what are the first bytes, 38 00 00 00?"), []Option{
			wrong(
				"数据的长度",
				"the length of the data",
				"数据是 11 个字节，那样的话应该是 0b 00 00 00。数据的长度写在报头里：total_size。",
				"The data has 11 bytes: that would be 0b 00 00 00. Its length is in the "+
					"header, as total_size."),
			right("报头的长度：56 字节", "the length of the header: 56 bytes"),
			wrong(
				"字典里有几项",
				"the number of entries in the dict",
				"字典有 3 项。struct.pack('i', len(header_bytes)) 数的是 JSON 的字节。",
				"The dict has 3 entries. struct.pack('i', len(header_bytes)) counts the bytes "+
					"of the JSON."),
		}},
	Play: playUltimate,
	Why: t("每一部分有多长，都由前一部分说明：4 字节 → 56 字节的 JSON → 11 字节的数据。JSON 里 "+
		"Python 在 : 和 , 后面放一个空格，空格也算字节。\n在真实的网络上，超过 1460 字节的消息分"+
		"几段"+
		"到（第 12 课），"+
		"recv(4) 也可能只拿到 2 个字节：每一部分都要收够。",
		"Each part tells the length of the next: 4 bytes → 56 bytes of JSON → 11 bytes of data. "+
			"Python puts a space after : and , in JSON; spaces are bytes, too.\n"+
			"On a real network, a message of more than 1460 bytes comes in several segments "+
			"(lesson 12), and even recv(4) may return 2 bytes: receive each part until it is "+
			"complete."),
	Change: t("换文件名。报头长几个字节？开头的 4 个字节呢？汉字算几个？",
		"Change the file name. How much longer is the header? What are its first four bytes? How "+
			"many bytes is a Chinese character?"),
	Knob: Knob{t("文件名", "the file name"), []string{"photo.jpg", "中.txt"},
		func(s *Stage, value string) error {
			name, err := text(value, 200)
			if err == nil {
				_, err = showUltimate(s, string(name))
			}
			return err
		}},
	Quiz: &Quiz{
		t("文件名换成 中.txt（json.dumps 默认设置），报头多几个字节？",
			"with the file name 中.txt (json.dumps as it is), how many bytes longer is the "+
				"header?"), func(*Stage) (string, error) {
			return fmt.Sprint(len(goldenHeader("中.txt")) - len(goldenHeader("a.txt"))), nil
		},
		t("json.dumps 把 中 写成 \\u4e2d：a 的 1 个字节换成 6 个，多 5 个。加上 "+
			"ensure_ascii=False，"+
			"中 是 UTF-8 的 3 个字节，只多 2 个。",
			"json.dumps writes 中 as \\u4e2d: 6 bytes in place of 1, so 5 more. With "+
				"ensure_ascii=False it is 3 bytes of UTF-8, 2 more.")},
	Exercise: t("让 chaos 把长度、JSON、汉字都从中间切开，看你的程序收得对不对：",
		"Let chaos cut your length, your JSON and your characters:"),
	Check: "minissh-lab check 16 --client -- python3 my_client.py\n" +
		"    minissh-lab check 16 -- python3 my_server.py",
	Hints: [3]Text{
		t("三部分：4 字节、报头、数据。每一部分都收够了吗？",
			"Three parts: 4 bytes, the header, the data. Is each of them complete?"),
		t("写一个 recv_exact(conn, n)：循环 recv，直到有 n 个字节；中途断开就报错。",
			"Write recv_exact(conn, n): recv in a loop until there are n bytes, and raise if the "+
				"connection ends."),
		t("长度按字节算：head_bytes = head_json.encode('utf-8')，再 struct.pack('<i', "+
			"len(head_bytes))。收到的长度先检查，再收。",
			"Count bytes: head_bytes = head_json.encode('utf-8'), then struct.pack('<i', "+
				"len(head_bytes)). Check a length before receiving so much."),
	},
}

// goldenHeader is the course's own header, as Python writes it.
func goldenHeader(name string) []byte {
	return dialect.EncodeFields(dialect.Field{Key: "filename", Value: name},
		dialect.Field{Key: "md5", Value: "xxdxxx"}, dialect.Field{Key: "total_size", Value: 11})
}

func playUltimate(s *Stage) (int, error) { return showUltimate(s, "a.txt") }

// showUltimate is the lesson with a file name.
func showUltimate(s *Stage, name string) (int, error) {
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	header := goldenHeader(name)
	for _, part := range [][]byte{dialect.EncodeLength(false, int32(len(header))), header,
		[]byte("hello world")} {
		if _, err := l.server.Write(part); err != nil {
			return 0, err
		}
	}
	length, err := readExactly(l.client, 4)
	if err != nil {
		return 0, err
	}
	n, err := dialect.DecodeLength(false, length, dialect.MaxHeader)
	if err != nil {
		return 0, err
	}
	json, err := readExactly(l.client, n)
	if err != nil {
		return 0, err
	}
	parsed, err := dialect.ParseHeader(json)
	if err != nil {
		return 0, err
	}
	data, err := readExactly(l.client, int(parsed.Size))
	if err != nil {
		return 0, err
	}
	s.Fields(
		Field{length, fmt.Sprint(n),
			t("报头长度，struct 'i'，小端", "length of the header, struct 'i', little-endian"), 0},
		Field{json, "JSON", f("报头，total_size = %d", "header, total_size = %d", parsed.Size), 1},
		Field{data, "", f("数据，%d 字节", "data, %d bytes", len(data)), 2},
	)
	if n == len(json) && n != len(data) {
		return 1, nil
	}
	return 0, nil
}
