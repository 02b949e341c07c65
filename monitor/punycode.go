package monitor

import (
	"strings"
	"unicode/utf8"
)

// asciiDomain writes the labels of a name in lower case as the DNS asks for them:
// those beyond ASCII by Punycode behind xn-- (RFC 3492). Letters are not composed:
// a name comes composed from wherever people type. A label that would be longer than
// the DNS has any stays as it is.
func asciiDomain(name string) string {
	name = strings.NewReplacer("。", ".", "．", ".", "｡", ".").Replace(name) // RFC 3490, 3.1
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if strings.IndexFunc(label, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 || len(label) > 4*maxLabel || !utf8.ValidString(label) {
			continue
		}
		if ascii := "xn--" + punycode([]rune(label)); len(ascii) <= maxLabel {
			labels[i] = ascii
		}
	}
	return strings.TrimSuffix(strings.Join(labels, "."), ".")
}

// maxLabel is the length of a label of the DNS, in bytes.
const maxLabel = 63

// punycode encodes a label, RFC 3492, section 6.3.
func punycode(label []rune) string {
	const (
		base, tMin, tMax     = 36, 1, 26
		skew, damp           = 38, 700
		firstBias, firstRune = 72, 0x80
	)
	digit := func(d int) byte {
		if d < 26 {
			return byte('a' + d) //nolint:gosec // below 26
		}
		return byte('0' + d - 26) //nolint:gosec // below 36
	}
	adapt := func(delta, points int, first bool) int {
		if delta /= 2; first {
			delta = delta * 2 / damp
		}
		delta += delta / points
		k := 0
		for ; delta > (base-tMin)*tMax/2; k += base {
			delta /= base - tMin
		}
		return k + (base-tMin+1)*delta/(delta+skew)
	}
	var out []byte
	for _, r := range label {
		if r < firstRune {
			out = append(out, byte(r)) //nolint:gosec // ASCII
		}
	}
	basic := len(out)
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(firstRune), 0, firstBias
	for done := basic; done < len(label); {
		next := rune(utf8.MaxRune)
		for _, r := range label {
			if r >= n {
				next = min(next, r)
			}
		}
		delta += int(next-n) * (done + 1)
		for _, r := range label {
			if r < next {
				delta++
			}
			if r != next {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tMin), tMax)
				if q < t {
					break
				}
				out = append(out, digit(t+(q-t)%(base-t)))
				q = (q - t) / (base - t)
			}
			out = append(out, digit(q))
			bias = adapt(delta, done+1, done == basic)
			delta, done = 0, done+1
		}
		delta, n = delta+1, next+1
	}
	return string(out)
}
