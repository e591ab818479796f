package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrPlace marks a URL that names no database weir can use, or holds what must
// not stand in a URL. The error's text never repeats the URL.
var ErrPlace = errors.New("not a database's URL that weir can use")

// Schemes are the schemes of the URLs that [Open] takes.
func Schemes() []string { return []string{"postgres", "postgresql"} }

// defaultSchema is where the tables stand unless the URL names a schema.
const defaultSchema = "clari"

// place is a database's URL taken apart.
type place struct {
	url    url.URL // without the schema
	schema string
}

// Parse checks a database's URL and gives its one canonical spelling, which
// holds no secrets. Its parameters are schema and, as libpq has them, host, port,
// sslmode, sslrootcert, sslcert, sslkey, passfile, connect_timeout and
// target_session_attrs.
func Parse(name string) (string, error) {
	p, err := parse(name)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// String is the canonical URL.
func (p place) String() string {
	u := p.url
	query := u.Query()
	if p.schema != defaultSchema {
		query.Set("schema", p.schema)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func parse(name string) (place, error) {
	u, err := url.Parse(name)
	switch {
	case err != nil:
		return place{}, unusable("it cannot be read")
	case !slices.Contains(Schemes(), u.Scheme):
		return place{}, unusable("it begins with none of %s", strings.Join(Schemes(), "://, ")+"://")
	case u.Opaque != "" || u.Fragment != "":
		return place{}, unusable("it holds a fragment or no //")
	}
	if _, has := u.User.Password(); has {
		return place{}, unusable("it holds a password; put it into PGPASSWORD or the file PGPASSFILE names")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return place{}, unusable("its parameters cannot be read")
	}
	if err := checkParams(query); err != nil {
		return place{}, err
	}
	p := place{url: *u, schema: query.Get("schema")}
	if p.schema == "" {
		p.schema = defaultSchema
	}
	query.Del("schema")
	p.url.Scheme, p.url.RawQuery = "postgres", query.Encode()
	return p, checkSchema(p.schema)
}

func unusable(format string, args ...any) error {
	return fmt.Errorf("read database URL: "+format+": %w", append(args, ErrPlace)...)
}

func checkParams(query url.Values) error {
	known := []string{"schema", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "connect_timeout", "target_session_attrs"}
	for name, values := range query {
		if !slices.Contains(known, name) {
			return unusable("of parameters it may have only %s; a password comes from PGPASSWORD or the file PGPASSFILE names", strings.Join(known, ", "))
		}
		if len(values) != 1 {
			return unusable("its parameter %s is given twice", name)
		}
	}
	return nil
}

// checkSchema takes any name that PostgreSQL takes; it is quoted wherever it
// stands.
func checkSchema(name string) error {
	const most = 63 // PostgreSQL cuts longer names
	if len(name) > most || strings.HasPrefix(name, "pg_") || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
		return unusable("its schema is no name of at most 63 bytes, or begins with pg_")
	}
	return nil
}
