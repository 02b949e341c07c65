package monitor

import "testing"

func TestNamesAreKeptAsTheDNSHasThem(t *testing.T) {
	for name, want := range map[string]string{
		"MÜNCHEN.de": "xn--mnchen-3ya.de", "bücher.example.": "xn--bcher-kva.example", "例え.テスト": "xn--r8jz45g.xn--zckzah", "evil。example": "evil.example",
		"пример.испытание": "xn--e1afmkfd.xn--80akhbyknj4f", "Evil.Example.": "evil.example", "xn--mnchen-3ya.de": "xn--mnchen-3ya.de", "☃.net": "xn--n3h.net",
		"a_b.münchen.de": "a_b.xn--mnchen-3ya.de", "": "", "ü": "xn--tda",
	} {
		if got := FoldDomain(name); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
	// RFC 3492, section 7.1 (A) and (L).
	for label, want := range map[string]string{"ليهمابتكلموشعربي؟": "egbpdaj6bu4bxfgehfvwxn", "3年b組金八先生": "3b-ww4c5e180e575a65lsy2b"} {
		if got := punycode([]rune(label)); got != want {
			t.Errorf("%q: %q, not %q", label, got, want)
		}
	}
}

func TestURLsAreKeptInOneForm(t *testing.T) {
	for value, want := range map[string]string{
		"HTTP://u:p@Evil.Example.:80/a/./b/../c?q=%3a#f": "http://evil.example/a/c?q=%3A", "https://evil.example:443": "https://evil.example/",
		"http://evil.example/%7e%2f%zz": "", "http://evil.example/%41%2f": "http://evil.example/A%2F", "http://[::ffff:203.0.113.7]:8080/": "http://203.0.113.7:8080/",
		"http://[2001:DB8::7]/": "http://[2001:db8::7]/", "a://:0:": "",
	} {
		got, ok := NormalURL(value)
		if got != want || ok != (want != "") {
			t.Errorf("%s: %s, not %s", value, got, want)
		}
		if again, _ := NormalURL(got); ok && again != got {
			t.Errorf("%s becomes %s, and then %s", value, got, again)
		}
	}
	for value, want := range map[string]string{"a[DOT]b(.)c{.}d": "a.b.c.d", "hXXps[://]a[.]b": "https://a.b", "x[AT]y.z": "x@y.z", "http://[2001:db8::7]/": "http://[2001:db8::7]/"} {
		if got := Refang(value); got != want {
			t.Errorf("%s: %s, not %s", value, got, want)
		}
	}
}
