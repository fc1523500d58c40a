package lesson

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"minissh/cmd/minissh-lab/dialect"
	"minissh/protocol"
)

var own = Lesson{
	Name:  "own",
	Title: t("毕业：这个项目自己的协议", "graduation: this project's own protocol"),
	Run: t("protocol/PROTOCOL.md 里一个真实的帧：在通道 1 上请求执行 ls。",
		"A real frame of protocol/PROTOCOL.md: `ls` asked for on channel 1."),
	Code: "frame = struct.pack('>IBBHI', len(payload), type, flags, 0, channel) + payload",
	Ask: Question{
		t(
			"开头是 00 00 00 21（十进制 33）。33 是什么？",
			"it begins with 00 00 00 21, decimal 33. What are the 33?"), []Option{
			wrong(
				"整个帧的长度",
				"the length of the whole frame",
				"整个帧是 45 字节：帧头 12，后面 33。length 只数帧头后面的 payload。",
				"The whole frame has 45 bytes: a header of 12, then 33. length counts the "+
					"payload alone."),
			right("帧头之后的字节数，大端", "the bytes after the header, big-endian"),
			wrong(
				"小端的 553648128",
				"553648128, little-endian",
				"这个协议写明了大端（'>I'）。按小端读就是五亿多，超过 65536 的上限，会被拒绝。",
				"This protocol says big-endian ('>I'). Read as little-endian it is above the "+
					"limit of 65536 and refused."),
		}},
	Play: playOwn,
	Why: t("还是第 16 课的想法：定长的头说明后面有多长。不同的是：用 '>' 写明了是大端；"+
		"长度有上限 65536，先检查再收；每一帧有通道号，一条连接上可以同时跑很多命令。",
		"It is lesson 16's idea: a header of fixed size says how long the rest is. What is new: "+
			"'>' big-endian, written down; a limit of 65536, checked before receiving; a channel "+
			"number in each frame, so that one connection carries many commands."),
	Change: t("换命令，看这一帧怎么变：哪几个字节变了，哪几个没变？",
		"Change the command and watch the frame: which bytes change, which do not?"),
	Knob: Knob{t("命令", "the command"), []string{"pwd", "echo 你好"},
		func(s *Stage, value string) error {
			command, err := text(value, 200)
			if err != nil {
				return err
			}
			payload := dialect.EncodeFields(dialect.Field{Key: "service", Value: "exec"},
				dialect.Field{Key: "command", Value: string(command)})
			frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
			frame = append(frame, byte(protocol.TypeOpen), 0, 0, 0, 0, 0, 0, 1)
			_, err = labelOwn(s, append(frame, payload...))
			return err
		}},
	Exercise: t("先读 PROTOCOL.md 里的 Frames、The whole conversation、exec 和 Sessions 四节，再"+
		"用 100 行左右的 Python 写一个客户端，在真的 minisshd 上运行一条命令（Unix 套接字，不用 "+
		"TLS）：",
		"Read PROTOCOL.md's sections on frames, the whole conversation, exec and sessions. A "+
			"client in 100 lines of Python that runs a command on a real minisshd (over a Unix "+
			"socket: no TLS):"),
	Check: "minissh-lab check own -- python3 my_client.py {address} {command}",
	Hints: [3]Text{
		t("先只收一帧，打印它的 type 和 payload。帧头 12 个字节：struct.unpack('>IBBHI', …)。",
			"First receive one frame and print its type and payload. The header has 12 bytes: "+
				"struct.unpack('>IBBHI', …)."),
		t("发 HELLO（通道 0），OPEN（通道 1），EOF（stdin）。然后一帧一帧地收：STDOUT 打印，PING "+
			"用 PONG 回。",
			"Send HELLO (channel 0), OPEN (channel 1), EOF (stdin). Then receive frame by frame: "+
				"print STDOUT, answer PING with PONG."),
		t("输出超过 262144 字节就要发 WINDOW（一共允许多少）。EXIT 里是退出码；收到 CLOSE，回 "+
			"CLOSE，再发 GOODBYE。",
			"More than 262144 bytes of output need WINDOW (the total ever allowed). EXIT has the "+
				"exit code; on CLOSE, answer CLOSE and then GOODBYE."),
	},
}

// ownFrame is the first example of PROTOCOL.md.
const ownFrame = `00000021 01 00 0000 00000001 7b2273657276696365223a2265786563222c22636f6d6d616e64223a226c73227d`

func playOwn(s *Stage) (int, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(ownFrame, " ", ""))
	if err != nil {
		return 0, err
	}
	l, err := dialLink()
	if err != nil {
		return 0, err
	}
	defer l.close()
	if _, err := l.client.Write(raw); err != nil {
		return 0, err
	}
	frame, err := readExactly(l.server, len(raw))
	if err != nil {
		return 0, err
	}
	return labelOwn(s, frame)
}

// labelOwn names the parts of a frame, as the protocol's own reader sees them.
func labelOwn(s *Stage, frame []byte) (int, error) {
	h, err := protocol.ParseHeader(frame)
	if err != nil {
		return 0, err
	}
	payload := frame[protocol.HeaderSize:]
	s.Fields(
		Field{frame[0:4], fmt.Sprint(h.Length),
			t("length，大端：后面的 payload", "length, big-endian: of the payload alone"), 0},
		Field{frame[4:5], fmt.Sprintf("0x%02x", frame[4]), t("type：OPEN", "type: OPEN"), 1},
		Field{frame[5:6], fmt.Sprint(frame[5]), t("flags", "flags"), 2},
		Field{frame[6:8], "0", t("保留，必须是 0", "reserved, must be 0"), 4},
		Field{frame[8:12], fmt.Sprint(h.Channel),
			t("通道号，客户端用奇数", "channel, odd from the client"), 3},
		Field{payload, "JSON", t("payload，UTF-8 的 JSON 对象", "payload, a JSON object in UTF-8"),
			5},
	)
	s.Say(Text{protocol.Describe(protocol.Frame{Header: h, Payload: payload}, 80), ""})
	if int(h.Length) == len(payload) && h.Type == protocol.TypeOpen {
		return 1, nil
	}
	return 0, nil
}
