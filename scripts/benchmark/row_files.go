//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// way is one program that copies a file or a tree to a daemon. argv gives its command line for the
// daemon or relay at host:port.
type way struct {
	name string
	peer *peer
	argv func(host, port, source, target string) []string
}

// ways are minissh cp, and what people use over OpenSSH, with its fastest cipher.
func (l *lab) ways() []way {
	var all []way
	if p := l.find("minissh"); p != nil {
		all = append(all, way{"minissh cp", p, func(host, port, source, target string) []string {
			words := p.line(host, port)
			options := slices.Clone(words[1 : len(words)-1])
			return slices.Concat([]string{words[0], "cp", "-q", "-r"}, upperPort(options),
				[]string{source, words[len(words)-1] + ":" + target})
		}})
	}
	p := l.find("openssh")
	if p == nil {
		return all
	}
	over := func(host, port string) (options []string, account string) {
		words := p.line(host, port, "-c", fastCipher)
		return words[1 : len(words)-1], words[len(words)-1]
	}
	all = append(all,
		way{"scp -r", p, func(host, port, source, target string) []string {
			options, account := over(host, port)
			return slices.Concat([]string{"scp", "-q", "-r"}, upperPort(slices.Clone(options)),
				[]string{source, account + ":" + target})
		}},
		way{"sftp", p, func(host, port, source, target string) []string {
			options, account := over(host, port)
			sftp := strings.Join(slices.Concat([]string{"exec", "sftp", "-q"},
				upperPort(slices.Clone(options)), []string{"-b", "-", account}), " ")
			return []string{"sh", "-c", fmt.Sprintf("echo put -r %s %s/ | %s", source, target,
				sftp)}
		}},
		way{"rsync -r", p, func(host, port, source, target string) []string {
			options, account := over(host, port)
			return []string{"rsync", "-r", "-e", "ssh " + strings.Join(options, " "), source,
				account + ":" + target + "/"}
		}},
		way{"tar | ssh tar", p, func(host, port, source, target string) []string {
			options, account := over(host, port)
			return []string{
				"sh", "-c", fmt.Sprintf("tar cf - -C %s %s | ssh %s %s 'tar xf - -C %s'",
					filepath.Dir(source), filepath.Base(source), strings.Join(options, " "),
					account, target)}
		}})
	return slices.DeleteFunc(all, func(w way) bool {
		program := strings.Fields(w.name)[0]
		_, err := exec.LookPath(program)
		return err != nil && program != "minissh"
	})
}

// upperPort turns ssh's -p into what cp, scp and sftp call it.
func upperPort(options []string) []string {
	for i, o := range options {
		if o == "-p" {
			options[i] = "-P"
		}
	}
	return options
}

// furnished makes a folder with a source in it, on a memory file system, so that no disk is
// measured.
func furnished(furnish func(source string) error) (dir string, err error) {
	if _, err := os.Stat("/dev/shm"); err != nil {
		return "", fmt.Errorf("%w: no memory file system at /dev/shm", errNotHere)
	}
	dir, err = os.MkdirTemp("/dev/shm", "minissh-bench")
	if err == nil {
		if err = furnish(filepath.Join(dir, "source")); err != nil {
			os.RemoveAll(dir)
		}
	}
	return dir, err
}

// copies measures every way of copying source, near or far; what arrives is compared with it once.
func (l *lab) copies(ctx context.Context, name string, far bool,
	furnish func(dir string) error) result {
	r := result{Unit: "s"}
	dir, err := furnished(furnish)
	if err != nil {
		r.Notes = []string{err.Error()}
		return r
	}
	defer os.RemoveAll(dir)
	source, target := filepath.Join(dir, "source"), filepath.Join(dir, "target")
	var cs []contender
	all := l.ways()
	client, daemon := make([]float64, len(all)), make([]float64, len(all))
	for i, w := range all {
		compared := false
		cs = append(cs,
			contender{w.name, w.peer.ours(), func(ctx context.Context) (float64, error) {
				host, port, _ := strings.Cut(w.peer.address, ":")
				if far {
					address, err := l.far(w.peer)
					if err != nil {
						return 0, err
					}
					host, port, _ = strings.Cut(address, ":")
				}
				if err := errors.Join(os.RemoveAll(target), os.Mkdir(target, 0o755)); err != nil {
					return 0, err
				}
				before := familyCPU(w.peer.pid)
				cpu, seconds, err := l.timeCopy(ctx, w.argv(host, port, source, target))
				client[i] += cpu
				daemon[i] += familyCPU(w.peer.pid) - before
				if err == nil && !compared {
					compared = true
					err = sameTree(source, filepath.Join(target, "source"))
				}
				return seconds, err
			}})
	}
	r.Series = interleave(ctx, l.rounds(name), false, cs)
	for i := range all {
		if count := float64(len(r.Series[i].Samples)); count > 0 {
			r.Series[i].Note = fmt.Sprintf("processor time: client %.2f s, daemon %.2f s",
				client[i]/count, daemon[i]/count)
		}
	}
	return r
}

// timeCopy runs a program to its end, and gives the processor time of it and its children too.
func (l *lab) timeCopy(ctx context.Context, argv []string) (cpu, seconds float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, oneCommand)
	defer cancel()
	cmd := l.client(ctx, argv)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	err = finish(cmd, &stderr)
	return cpuSeconds(cmd), time.Since(start).Seconds(), err
}

// sameTree compares what arrived with what was sent.
func sameTree(a, b string) error {
	return filepath.WalkDir(a, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		x, err := os.Open(name)
		if err != nil {
			return err
		}
		defer x.Close()
		y, err := os.Open(b + strings.TrimPrefix(name, a))
		if err != nil {
			return err
		}
		defer y.Close()
		p, q := make([]byte, 1<<20), make([]byte, 1<<20)
		for {
			n, err := io.ReadFull(x, p)
			m, _ := io.ReadFull(y, q)
			if n != m || !bytes.Equal(p[:n], q[:m]) {
				return fmt.Errorf("%w: %s is not what was sent", errShort, d.Name())
			}
			if err != nil {
				return nil
			}
		}
	})
}

// oneFile furnishes a file which nothing can compress.
func oneFile(size int64) func(name string) error {
	return func(name string) error {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		_, err = io.CopyN(f, rand.NewChaCha8([32]byte{1}), size)
		return errors.Join(err, f.Close())
	}
}

// smallFiles furnishes so many files of 4,096 bytes, 100 in a folder.
func smallFiles(count int) func(dir string) error {
	return func(dir string) error {
		random, content := rand.NewChaCha8([32]byte{2}), make([]byte, 4096)
		for i := range count {
			folder := filepath.Join(dir, fmt.Sprint(i/100))
			random.Read(content)
			if err := errors.Join(os.MkdirAll(folder, 0o755),
				os.WriteFile(filepath.Join(folder, fmt.Sprint(i)), content, 0o644)); err != nil {
				return err
			}
		}
		return nil
	}
}

// Far away there is less to copy, for all alike, so that a row ends within two minutes: a peer
// whose window is two megabytes takes 50 seconds for a gigabyte at a round trip of 100 ms, and one
// that waits for an answer some times for each file takes most of an hour for ten thousand.
const (
	farPart  = 16 // of the size of a bulk stream
	farCount = 100
)

// againstBest adds the check of ours against whichever other is the quickest.
func (r *result) againstBest(target float64) {
	var best *series
	for _, s := range r.Series {
		if !s.ours && s.measured() && (best == nil || s.Median < best.Median) {
			best = s
		}
	}
	if best != nil {
		r.against(best.Name, target, true)
	}
}

func runFile(ctx context.Context, l *lab) result {
	r := l.copies(ctx, "file", false, oneFile(l.o.size/2))
	r.Notes = append(r.Notes,
		sized(l.o.size/2)+" in one file, on a memory file system; OpenSSH with aes128-gcm")
	r.against("scp -r", 1, true)
	return r
}

func runSmall(ctx context.Context, l *lab) result {
	r := l.copies(ctx, "small", false, smallFiles(10_000))
	r.Notes = append(r.Notes, "10,000 files of 4 KiB, on a memory file system; OpenSSH with "+
		"aes128-gcm")
	r.againstBest(0.6)
	return r
}

func runFileFar(ctx context.Context, l *lab) result {
	r := l.copies(ctx, "filefar", true, oneFile(l.o.size/farPart))
	r.Notes = append(r.Notes,
		sized(l.o.size/farPart)+fmt.Sprintf(" in one file; relay in user space, %v round trip; "+
			"OpenSSH with aes128-gcm", 2*l.o.delay))
	r.against("scp -r", 1, true)
	return r
}

func runSmallFar(ctx context.Context, l *lab) result {
	r := l.copies(ctx, "smallfar", true, smallFiles(farCount))
	r.Notes = append(r.Notes, fmt.Sprintf("%d files of 4 KiB; relay in user space, %v round "+
		"trip; OpenSSH with aes128-gcm", farCount, 2*l.o.delay))
	r.againstBest(0.6)
	return r
}
