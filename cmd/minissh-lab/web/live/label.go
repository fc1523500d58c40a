package live

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"minissh/cmd/minissh-lab/speak"
	"minissh/cmd/minissh-lab/web/record"
	"minissh/protocol"
)

// mostJSON is how much of a JSON payload is shown as text.
const mostJSON = 600

// label names the parts of the frames in plain.
func label(plain []byte) (fields []record.Field, frames []record.Message, err error) {
	for at := 0; at < len(plain); {
		rest := plain[at:]
		if len(rest) < protocol.HeaderSize {
			return nil, nil, fmt.Errorf("half a frame")
		}
		h, err := protocol.ParseHeader(rest)
		if err != nil {
			return nil, nil, err
		}
		end := protocol.HeaderSize + int(h.Length)
		if len(rest) < end {
			return nil, nil, fmt.Errorf("half a frame")
		}
		f := protocol.Frame{Header: h, Payload: rest[protocol.HeaderSize:end]}
		add := func(from, to int, name, value, endian string) {
			if to > from {
				fields = append(fields, record.Field{From: at + from, To: at + to, Name: name,
					Value: value, Endian: endian, Message: len(frames)})
			}
		}
		add(0, 4, "frame_length", strconv.Itoa(int(h.Length)), "big")
		add(4, 5, "type", fmt.Sprintf("0x%02x %v", uint8(h.Type), h.Type), "")
		add(5, 6, "flags", flags(h.Flags), "")
		add(6, 8, "reserved", "0", "big")
		add(8, 12, "channel", strconv.Itoa(int(h.Channel)), "big")
		name, value, endian := payload(f)
		add(12, end, name, value, endian)
		frames = append(frames,
			record.Message{From: at, To: at + end, Text: fmt.Sprintf("%v", h.Type),
				Size: int(h.Length)})
		at += end
	}
	return fields, frames, nil
}

func flags(f uint8) string {
	if f&protocol.FlagBlocked != 0 {
		return fmt.Sprintf("0x%02x BLOCKED", f)
	}
	return strconv.Itoa(int(f))
}

// payload says what a frame's payload is.
func payload(f protocol.Frame) (name, value, endian string) {
	switch {
	case f.Type.IsJSON():
		return "payload_json", speak.Clean(string(f.Payload[:min(len(f.Payload), mostJSON)])), ""
	case f.Type.IsData():
		return "payload_data", speak.QuoteShort(f.Payload, 60), ""
	case f.Type == protocol.TypeEOF:
		kind := "?"
		if len(f.Payload) == 1 {
			kind = protocol.Type(f.Payload[0]).String()
		}
		return "payload_eof", kind, ""
	case len(f.Payload) == 8:
		return "payload_number", strconv.FormatUint(binary.BigEndian.Uint64(f.Payload), 10), "big"
	}
	return "payload_data", speak.QuoteShort(f.Payload, 60), ""
}
