package lesson

import (
	"net"
	"strconv"
	"time"

	"minissh/cmd/minissh-lab/dialect"
)

var ackVersion = Lesson{
	Name:  "14b",
	Title: t("先发长度，等 ack：代价", "length, then ack: what it costs"),
	Run: t("同一条命令，用 ack 版和第 15 章的简单版各跑一次，网络很慢：单程 50 ms，来回 100 ms。",
		"The same command in the ack version and in chapter 15's simple version, over a slow "+
			"link: 50 ms each way, 100 ms a round trip."),
	Code: "conn.send(str(len(data)).encode('utf-8'))\nif conn.recv(1024) == b'recv_ready':\n" +
		"    conn.sendall(data)",
	Ask: Question{
		t(
			"来回 100 ms，ack 版一条命令要多久？",
			"with 100 ms a round trip, how long does one command take in the ack "+
				"version?"), []Option{
			wrong(
				"约 100 ms，和简单版一样",
				"about 100 ms, as in the simple version",
				"简单版的长度和数据一起来，一个来回就够。ack 版在中间停下来，等 recv_ready 走"+
					"一趟。",
				"The simple version sends length and data together: one round trip. The ack "+
					"version stops in between and waits for recv_ready."),
			right("约 200 ms：多一个来回", "about 200 ms: one more round trip"),
			wrong(
				"约 400 ms",
				"about 400 ms",
				"数一数：命令 → 长度是一个来回，recv_ready → 数据又是一个。两个来回，200 ms。",
				"Count: command and length are one round trip, recv_ready and data another. "+
					"Two, so 200 ms."),
		}},
	Play: playAck,
	Why: t("长度单独发，要等 recv_ready 才能发数据：每条命令多一个来回。把长度和数据一起发，"+
		"一个来回就够，因为长度自己就是边界。",
		"The length goes alone, and the data waits for recv_ready: one more round trip for each "+
			"command. Length and data together need one, since the length is the boundary."),
	Change: t("换来回的时间。1 秒的话（卫星），10 条命令各要多久？",
		"Change the round trip. With 1 s (a satellite), how long do 10 commands take in each?"),
	Knob: Knob{t("来回的时间", "the round trip"), []string{"20ms", "500ms"},
		func(s *Stage, value string) error {
			trip, err := duration(value, time.Millisecond, 2*time.Second)
			if err == nil {
				_, err = showAck(s, trip)
			}
			return err
		}},
	Exercise: t("写 ack 版的服务端和客户端：", "Write server and client of the ack version:"),
	Check: "minissh-lab check 14b -- python3 my_server.py\n" +
		"    minissh-lab check 14b --client -- python3 my_client.py",
	Hints: [3]Text{
		t("客户端发了 recv_ready，服务端在哪一行收它？",
			"The client sends recv_ready: in which line does the server receive it?"),
		t("长度是十进制的字符：str(len(data)).encode()。发完就 recv，等到 recv_ready 才发数据。",
			"The length is decimal text: str(len(data)).encode(). Then recv, and send the data "+
				"only after recv_ready."),
		t("客户端：total = int(phone.recv(1024))，sendall(b'recv_ready')，然后循环 recv，直到收够"+
			" total。",
			"The client: total = int(phone.recv(1024)), sendall(b'recv_ready'), then recv in a "+
				"loop until total bytes are there."),
	},
}

// trips runs one command over a slow link and counts how often the client waits
// for the server.
func (s *Stage) trips(name string, delay time.Duration) (trips int, took time.Duration, err error) {
	addr, stop, err := s.serveDialect(name, dialect.Options{})
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	slow, stopLink, err := s.slowLink(addr, delay)
	if err != nil {
		return 0, 0, err
	}
	defer stopLink()
	conn, err := net.Dial("tcp", slow)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	var last dialect.Op
	c := dialect.NewClient(conn, dialect.Find(name),
		dialect.Options{Timeout: waitLimit, Events: func(e dialect.Event) {
			if e.Op == dialect.Recv && last == dialect.Send {
				trips++
			}
			last = e.Op
		}})
	start := time.Now()
	_, err = c.Exchange(s.Ctx, "big")
	return trips, time.Since(start), err
}

func playAck(s *Stage) (int, error) { return showAck(s, 100*time.Millisecond) }

// showAck is the lesson with a round trip.
func showAck(s *Stage, trip time.Duration) (int, error) {
	rows := [][]string{
		{s.pick(t("版本", "version")), s.pick(t("来回", "round trips")),
			s.pick(t("量到的时间", "measured"))}}
	var counts [2]int
	for i, name := range []string{"simple", "ack"} {
		trips, took, err := s.trips(name, trip/2)
		if err != nil {
			return 0, err
		}
		counts[i] = trips
		rows = append(rows, []string{name, strconv.Itoa(trips), ms(took)})
	}
	s.Table(rows...)
	switch counts {
	case [2]int{1, 2}:
		return 1, nil
	case [2]int{1, 1}:
		return 0, nil
	}
	return 2, nil
}
