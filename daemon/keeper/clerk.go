//go:build unix

package keeper

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"minissh/daemon/process"
	"minissh/protocol"
	"minissh/protocol/mux"
)

func init() { process.Helper(ClerkVerb, beClerk) }

// Question is what a clerk is asked on its standard input: one message. It answers on its standard
// output, with an Answer for each job and an empty one after them; but a job that is attached to or
// stopped, with one empty message on its socket, which carries a connection to whoever serves that.
type Question struct {
	Home protocol.Bytes `json:"home"`
	Job  protocol.Job   `json:"job"`
}

// beClerk is the clerk's whole life. It ends with its standard input, or when it has nothing left
// to say.
func beClerk([]string) int {
	process.ResetSignals()
	var q Question
	if err := process.ReadMessage(os.Stdin, process.MaxOrder, &q); err != nil {
		return 2
	}
	store := storeOf(string(q.Home))
	say := func(a Answer) { process.WriteMessage(os.Stdout, a) }
	if q.Job.Do == protocol.JobList {
		all, err := store.list()
		if err != nil {
			say(refused(notFound(err)))
			return 1
		}
		for _, j := range all {
			say(Answer{Job: &j.JobRecord})
		}
		say(Answer{})
		return 0
	}
	found, err := store.find(q.Job.Name)
	if err != nil {
		say(refused(err))
		return 1
	}
	if q.Job.Do == protocol.JobRemove {
		err := found.removeSoon()
		if err != nil {
			say(refused(err))
			return 1
		}
		say(Answer{Job: &found.JobRecord})
		say(Answer{})
		return 0
	}
	return found.connect(say)
}

// leavesSoon is how long the keeper of a job that has ended may take to end, too.
const leavesSoon = 8 * time.Second

// removeSoon deletes a job that has ended, when its keeper has let go of it.
func (j job) removeSoon() error {
	for end := time.Now().Add(leavesSoon); ; time.Sleep(20 * time.Millisecond) {
		err := j.remove()
		switch {
		case !errors.Is(err, errKept):
			return err
		case j.State == protocol.JobRunning:
			return protocol.Violate(protocol.CodeBusy, "the job %s runs; stop it first", j.ID)
		case time.Now().After(end):
			return protocol.Violate(protocol.CodeBusy, "the job %s has ended, but somebody is "+
				"attached to it, or something that it started still writes; stop it first", j.ID)
		}
	}
}

// connect passes on a connection to a job's keeper, or takes the place of one that has ended.
func (j job) connect(say func(Answer)) int {
	socket, err := net.FileConn(os.NewFile(process.SocketFD, "socket"))
	if err != nil {
		return 2
	}
	to := socket.(*net.UnixConn)
	if conn, err := j.dial(); err == nil {
		say(Answer{Job: &j.JobRecord})
		return pass(to, conn)
	}
	record, err := j.folder.record() // it may have ended meanwhile
	if err == nil && record.State == protocol.JobRunning {
		err = errors.New("the job's keeper does not answer")
	}
	if err != nil {
		say(refused(err))
		return 1
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		say(refused(err))
		return 1
	}
	ours, err1 := conn(pair[0])
	theirs, err2 := conn(pair[1])
	if err := errors.Join(err1, err2); err != nil {
		say(refused(err))
		return 1
	}
	say(Answer{Job: &record})
	if code := pass(to, theirs); code != 0 {
		return code
	}
	serve(ours, job{j.folder, record}.answer)
	return 0
}

func conn(fd int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(fd), "pair")
	defer file.Close() // FileConn duplicates it
	c, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return c.(*net.UnixConn), nil
}

// pass sends a connection to the daemon, and closes it here.
func pass(to, conn *net.UnixConn) int {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return 2
	}
	raw.Control(func(fd uintptr) {
		_, _, err = to.WriteMsgUnix([]byte{0}, unix.UnixRights(int(fd)), nil)
	})
	if err != nil {
		return 2
	}
	return 0
}

// answer serves a channel of a job whose keeper has ended.
func (j job) answer(ch *mux.Channel) {
	request := ch.Request().Job
	if request == nil || request.Do != protocol.JobAttach {
		tell(ch, j.JobRecord) // it has ended, and stays as it is (JO2)
		return
	}
	v := newVisit(ch, nil)
	go func() { <-ch.Gone(); v.end(protocol.CodeCancelled, "the client has left") }()
	go v.input()
	ch.Send(protocol.TypeOpened, &protocol.Opened{PID: j.PID})
	err := j.show(v, request)
	switch {
	case v.reason() != nil:
		ch.Close(v.reason())
	case err != nil:
		ch.Close(&protocol.Reason{Code: protocol.CodeInternal,
			Message: "the job's output cannot be read: " + err.Error()})
	case j.Exit == nil:
		ch.Close(&protocol.Reason{Code: protocol.CodeJobLost, Message: lost[j.State]})
	default:
		ch.End(j.Exit)
	}
}

// lost says what is known of a job that is lost (JO3).
var lost = map[string]string{
	protocol.JobLost:   "its keeper was killed: how the command ended, or whether, is not known",
	protocol.JobReboot: "the machine was restarted while it ran",
}

// show sends what the spool has.
func (j job) show(v *visit, request *protocol.Job) error {
	missing := j.Dropped
	var streams [2]*output
	for i, name := range []string{stdoutFile, stderrFile} {
		file, err := os.Open(filepath.Join(j.dir, name))
		if err != nil {
			return err
		}
		defer file.Close()
		streams[i] = spooled(file, j.folder.size(name), missing)
		missing = 0
	}
	return v.carry(streams[0].follow(0, request.New, v.gone),
		streams[1].follow(0, request.New, v.gone), nil)
}
