package detect

import (
	"strconv"
	"strings"
)

// decimal is a number of any size without rounding: 0.digits times ten to the
// power exp. Zero has no digits; others neither begin nor end with 0.
// 9223372036854775807 stays apart from 9223372036854775806, which float64
// takes for the same.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

const (
	maxDigits   = 1_000 // longer numbers are texts
	maxExponent = 6     // digits of an exponent
)

// parseDecimal reads a number as JSON writes it: 4688, -4, 1.50, 2e3. Leading
// zeros and signs make a text.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if len(s) > maxDigits {
		return d, false
	}
	rest, negative := strings.CutPrefix(s, "-")
	whole, rest := cutDigits(rest)
	if whole == "" || len(whole) > 1 && whole[0] == '0' {
		return d, false
	}
	fraction := ""
	if strings.HasPrefix(rest, ".") {
		if fraction, rest = cutDigits(rest[1:]); fraction == "" {
			return d, false
		}
	}
	exponent, ok := parseExponent(rest)
	if !ok {
		return d, false
	}
	digits := whole
	if fraction != "" {
		digits = whole + fraction
	}
	significant := strings.TrimLeft(digits, "0")
	d.exp = len(whole) - (len(digits) - len(significant)) + exponent
	d.digits = strings.TrimRight(significant, "0")
	if d.digits == "" {
		return decimal{}, true
	}
	d.negative = negative
	return d, true
}

func cutDigits(s string) (digits, rest string) {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return s[:n], s[n:]
}

func parseExponent(s string) (int, bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	digits, rest := cutDigits(s)
	if digits == "" || rest != "" || len(digits) > maxExponent {
		return 0, false
	}
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// compare gives -1, 0 or 1 as d is less than, equal to or greater than o.
func (d decimal) compare(o decimal) int {
	switch a, b := d.sign(), o.sign(); {
	case a != b:
		if a < b {
			return -1
		}
		return 1
	case a < 0:
		return o.compareSize(d)
	default:
		return d.compareSize(o)
	}
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compareSize(o decimal) int {
	switch {
	case d.digits == "" || d.exp == o.exp:
		return strings.Compare(d.digits, o.digits)
	case d.exp < o.exp:
		return -1
	default:
		return 1
	}
}

func decimalOf(n int) decimal {
	d, _ := parseDecimal(strconv.Itoa(n))
	return d
}
