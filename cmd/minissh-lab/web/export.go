package web

import (
	"bytes"
	"net/http"
	"time"

	"minissh/cmd/minissh-lab/pcap"
)

// maxExport is the longest run that the page may send back: some of the largest that it is given.
const maxExport = 8 << 20

// export gives the run, which the page sends back, as a file: the lab itself keeps none.
func (l *Lab) export(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Kind string `json:"kind"`
		Replay
	}
	if !takeUpTo(w, r, &asked, maxExport) {
		return
	}
	err := asked.Check()
	var file bytes.Buffer
	switch {
	case err != nil:
	case asked.Kind == "html":
		err = asked.Write(&file)
	case asked.Kind == "pcap":
		err = asked.capture(&file)
	default:
		err = ErrReplay
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "export", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	w.Write(file.Bytes())
}

// capture writes the run as a capture file. When it was is not in it: it is that of now.
func (r *Replay) capture(file *bytes.Buffer) error {
	sides := r.Sides
	for _, run := range r.Runs {
		for _, c := range run.Connections {
			sides = append(sides, c.Sides...)
		}
	}
	streams, err := pcap.FromTraces(sides)
	if err != nil {
		return err
	}
	return pcap.Write(file, time.Now(), streams...)
}
