package servertest_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/weirhq/weir/internal/servertest"
)

func TestPostgresRunsAndRestarts(t *testing.T) {
	server := servertest.StartPostgres(t)
	answers := func() bool {
		connection, err := net.Dial("tcp", server.Address)
		if err == nil {
			connection.Close()
		}
		return err == nil
	}
	if !answers() {
		t.Error("it does not answer")
	}
	server.Stop()
	if answers() {
		t.Error("it answers after it was stopped")
	}
	server.Restart()
	if !answers() {
		t.Error("it does not answer after a restart")
	}
}

func TestS3RefusesStrangers(t *testing.T) {
	server := servertest.StartS3(t)
	server.Bucket(t, "data")
	answer, err := http.Get("http://" + server.Address + "/data")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("status %s", answer.Status)
	}
}
