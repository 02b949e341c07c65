package ingest

import (
	"bytes"
	"errors"
	"io"
)

// syslogFrames takes messages of syslog out of a stream, framed by either way of RFC
// 6587, which each message may choose anew as common daemons have it: octets counted
// ("83 <34>1 ..."), or ended by a line feed or NUL. It reads only when asked to, into a
// buffer of fixed size; a message that is longer than its bound is cut there, and the
// rest of it passed over.
type syslogFrames struct {
	from io.Reader
	most int // bytes of a message
	buf  []byte
	next int // what is before it is taken
	end  int // what is read
	// skip and skipLine are what is left of a message that was cut: octets, or up to
	// the end of its line.
	skip     int
	skipLine bool
	done     error // why no more can be read
}

// frame is one message.
type frame struct {
	text []byte // valid until the next fill
	cut  bool
}

// errBadFrame ends a connection: where the next message begins cannot be known.
var errBadFrame = errors.New("the octet count is larger than any message")

const (
	// maxOctetDigits bounds an octet count to 100 MB, of which nobody keeps more than the bound.
	maxOctetDigits = 8
	// minFrameBuffer is what is read at once at most, and stored in one transaction.
	minFrameBuffer = 64 << 10
)

func newSyslogFrames(from io.Reader, most int) *syslogFrames {
	return &syslogFrames{from: from, most: most, buf: make([]byte, max(minFrameBuffer, most+maxOctetDigits+1))}
}

// pending tells whether a message has begun and not ended.
func (s *syslogFrames) pending() bool { return s.next < s.end || s.skip > 0 || s.skipLine }

// fill waits for bytes and reads them. Frames that were given are no longer valid.
func (s *syslogFrames) fill() error {
	if s.done != nil {
		return s.done
	}
	s.end = copy(s.buf, s.buf[s.next:s.end])
	s.next = 0
	n, err := s.from.Read(s.buf[s.end:])
	s.end += n
	s.done = err
	if n > 0 {
		return nil
	}
	return err
}

// take gives the next message that is there whole; ok is false where more must be read.
func (s *syslogFrames) take() (f frame, ok bool, err error) {
	for {
		if !s.passOver() {
			return frame{}, false, nil
		}
		rest := s.buf[s.next:s.end]
		size, head, sure, err := octetCount(rest)
		switch {
		case err != nil:
			return frame{}, false, err
		case !sure && !s.ended():
			return frame{}, false, nil
		case head > 0:
			f, ok = s.takeCounted(head, size)
		default:
			f, ok = s.takeLine()
		}
		if !ok {
			return frame{}, false, nil
		}
		if f.text = bytes.TrimRight(f.text, "\r\n\x00"); len(bytes.TrimSpace(f.text)) > 0 {
			return f, true, nil
		}
	}
}

// ended tells whether the other side has said that nothing more will come.
func (s *syslogFrames) ended() bool { return errors.Is(s.done, io.EOF) }

// passOver goes behind a message that was cut, and tells whether it is there.
func (s *syslogFrames) passOver() bool {
	if s.skip > 0 {
		n := min(s.skip, s.end-s.next)
		s.skip -= n
		s.next += n
	}
	if s.skipLine {
		i := bytes.IndexAny(s.buf[s.next:s.end], "\n\x00")
		if i < 0 {
			s.next = s.end
			return false
		}
		s.next += i + 1
		s.skipLine = false
	}
	return s.skip == 0 && s.next < s.end
}

// octetCount reads "83 <", the beginning of a message whose octets are counted; head is
// the length of the count with its blank, 0 where there is none. It is not sure where
// more bytes could make it one. A line may begin with a digit, too: a count is followed
// by a message, and that begins with its priority.
func octetCount(b []byte) (size, head int, sure bool, err error) {
	for i, c := range b {
		switch {
		case c >= '0' && c <= '9' && (i > 0 || c != '0'):
			if i < maxOctetDigits {
				size = size*10 + int(c-'0')
			}
		case c == ' ' && i > 0 && i+1 == len(b):
			return 0, 0, false, nil
		case c == ' ' && i > 0 && b[i+1] == '<' && i > maxOctetDigits:
			return 0, 0, true, errBadFrame
		case c == ' ' && i > 0 && b[i+1] == '<':
			return size, i + 1, true, nil
		default:
			return 0, 0, true, nil
		}
		if i > 2*maxOctetDigits {
			return 0, 0, true, nil
		}
	}
	return 0, 0, false, nil
}

// takeCounted takes a message of that many octets. Of one that is cut off by the end of
// the stream nothing is taken.
func (s *syslogFrames) takeCounted(head, size int) (frame, bool) {
	rest := s.buf[s.next+head : s.end]
	keep := min(size, s.most)
	if len(rest) < keep {
		return frame{}, false
	}
	s.next += head + keep
	s.skip = size - keep
	return frame{text: rest[:keep], cut: size > keep}, true
}

// takeLine takes a message up to the end of its line, or of the stream.
func (s *syslogFrames) takeLine() (frame, bool) {
	rest := s.buf[s.next:s.end]
	i := bytes.IndexAny(rest, "\n\x00")
	switch {
	case i >= 0 && i <= s.most:
		s.next += i + 1
		return frame{text: rest[:i]}, true
	case i > s.most || len(rest) > s.most:
		s.next += s.most
		s.skipLine = true
		return frame{text: rest[:s.most], cut: true}, true
	case s.ended():
		s.next = s.end
		return frame{text: rest}, true
	default:
		return frame{}, false
	}
}
