//go:build unix

package wireshark_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minissh/cmd/minissh-lab/pcap"
	"minissh/cmd/minissh-lab/tape"
	"minissh/cmd/minissh-lab/web"
	"minissh/cmd/minissh-lab/web/live"
	labrun "minissh/cmd/minissh-lab/web/record"
)

// followed are both directions of a stream as tshark puts them together.
func followed(t *testing.T, file string, stream int) (client, server []byte) {
	t.Helper()
	out := tshark(t, file, "-q", "-z", fmt.Sprintf("follow,tcp,raw,%d", stream))
	for _, line := range strings.Split(out, "\n") {
		data, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || line == "" {
			continue // a heading
		}
		if strings.HasPrefix(line, "\t") {
			server = append(server, data...)
		} else {
			client = append(client, data...)
		}
	}
	return client, server
}

// labFile writes a capture file of the lab's and wants nothing in it to be wrong.
func labFile(t *testing.T, streams []*pcap.Stream) string {
	t.Helper()
	var file bytes.Buffer
	if err := pcap.Write(&file, time.Unix(1_700_000_000, 0), streams...); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "lab.pcapng")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if bad := tshark(t, name, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
		"-Y", "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || "+
			"tcp.analysis.flags && !tcp.analysis.window_update"); bad != "" {
		t.Errorf("tshark finds fault with %s", bad)
	}
	return name
}

// What was recorded of one's own programs is in the capture: the same bytes in both directions.
func TestRecordedRunAsCapture(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	file := labFile(t, pcap.FromTape([]tape.Event{
		{Conn: 1, Kind: tape.Open},
		{Conn: 1, At: 100, Kind: tape.Data, Way: tape.Up, Data: []byte("ls"), Segments: 1},
		{Conn: 2, At: 150, Kind: tape.Open},
		{Conn: 2, At: 160, Kind: tape.Data, Way: tape.Down, Data: []byte("\x00\xff"), Segments: 1},
		{Conn: 1, At: 900, Kind: tape.Data, Way: tape.Down, Data: big, Segments: 3},
		{Conn: 1, At: 41000, Kind: tape.Data, Way: tape.Down, Data: []byte("."), Segments: 1},
		{Conn: 1, At: 50000, Kind: tape.End, Way: tape.Up},
		{Conn: 1, At: 50001, Kind: tape.End, Way: tape.Down},
	}, pcap.OtherPort))
	client, server := followed(t, file, 0)
	if string(client) != "ls" || !bytes.Equal(server, append(big, '.')) {
		t.Errorf("%q, and %d bytes back", client, len(server))
	}
	if _, server := followed(t, file, 1); string(server) != "\x00\xff" {
		t.Errorf("the second connection: %q", server)
	}
	if said := tshark(t, file, "-T", "fields", "-e", "frame.comment"); !strings.Contains(said,
		"3 TCP segments") {
		t.Errorf("comments: %s", said)
	}
}

// The runs of the page, of each preset: what each end sent is in its own direction, and the lengths
// of both dialects are dissected as such.
func TestPresetsAsCapture(t *testing.T) {
	t.Parallel()
	var sides []*labrun.Trace
	var client, server []string // of each connection
	for _, p := range web.Presets() {
		if p.Live != "" {
			r, err := live.Run(t.Context(), p.Live)
			if err != nil {
				t.Fatal(err)
			}
			sides = append(sides, r.Sides...)
			client = append(client, string(r.Sides[0].Bytes))
			server = append(server, string(r.Sides[1].Bytes))
			continue
		}
		traces, err := labrun.Run(t.Context(), p.Setting)
		if err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		for _, tr := range traces {
			sides = append(sides, tr)
			client = append(client, string(tr.Bytes))
			acks := 0
			if tr.Framing == "ack" {
				acks = len(p.Setting.Messages)
			}
			server = append(server, strings.Repeat("recv_ready", acks))
		}
	}
	streams, err := pcap.FromTraces(sides)
	if err != nil || len(streams) != len(client) {
		t.Fatalf("%d connections, want %d: %v", len(streams), len(client), err)
	}
	up, down, shown := make([]string, len(client)), make([]string, len(client)), map[string]bool{}
	names := []string{"tcp.stream", "tcp.srcport", "tcp.payload", "labsimple.length",
		"labultimate.total_size", "labsimple.command", "labultimate.command",
		"labsimple.rest", "labultimate.rest"}
	for _, p := range fields(t, labFile(t, streams), names) {
		id := atoi(p["tcp.stream"][0])
		for _, text := range p["tcp.payload"] {
			data, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
			if err != nil {
				t.Fatal(err)
			}
			if atoi(p["tcp.srcport"][0]) > 50000 { // a client's
				up[id] += string(data)
			} else {
				down[id] += string(data)
			}
		}
		for _, name := range names[3:] {
			for _, value := range p[name] {
				shown[name+" "+value] = true
			}
		}
	}
	for i := range client {
		if up[i] != client[i] || down[i] != server[i] {
			t.Errorf("connection %d: %.60q and %.60q, want %.60q and %.60q", i, up[i], down[i],
				client[i], server[i])
		}
	}
	want := map[string]bool{"labultimate.total_size 24": true, "labultimate.total_size 12": true}
	for _, n := range []string{"0", "5", "14", "3000", "4096"} {
		want["labsimple.length "+n] = true
	}
	if !maps.Equal(shown, want) {
		t.Errorf("dissected: %v, want %v", shown, want)
	}
}

// A live run: the frames inside TLS, dissected as minissh, with nothing wrong in them.
func TestLiveRunAsCapture(t *testing.T) {
	t.Parallel()
	r, err := live.Run(t.Context(), "ls")
	if err != nil {
		t.Fatal(err)
	}
	streams, err := pcap.FromTraces(r.Sides)
	if err != nil {
		t.Fatal(err)
	}
	file := labFile(t, streams)
	client, server := followed(t, file, 0)
	if !bytes.Equal(client, r.Sides[0].Bytes) || !bytes.Equal(server, r.Sides[1].Bytes) {
		t.Errorf("%d and %d bytes, want %d and %d", len(client), len(server),
			len(r.Sides[0].Bytes), len(r.Sides[1].Bytes))
	}
	packets := fields(t, file, append(frameFields, "minissh.violation"))
	if codes := faults(packets); len(codes[0]) > 0 {
		t.Errorf("violations %q", codes[0])
	}
	got := seen(packets, pcap.FramesPort)
	for i, side := range r.Sides {
		if frames := got[way{0, i == 0}]; len(frames) != len(side.Sent) {
			t.Errorf("%s: %d frames, want %d: %q", side.Name, len(frames), len(side.Sent), frames)
		}
	}
}
