package ledger

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNetworkFileSystems(t *testing.T) {
	for magic, want := range map[int64]string{
		unix.NFS_SUPER_MAGIC:   "NFS",
		unix.CIFS_SUPER_MAGIC:  "CIFS",
		unix.FUSE_SUPER_MAGIC:  "FUSE",
		unix.EXT4_SUPER_MAGIC:  "",
		unix.XFS_SUPER_MAGIC:   "",
		unix.BTRFS_SUPER_MAGIC: "",
		unix.TMPFS_MAGIC:       "",
	} {
		if got := networkName(magic); got != want {
			t.Errorf("file system %#x is %q, want %q", magic, got, want)
		}
	}
	if err := refuseNetwork(t.TempDir()); err != nil {
		t.Errorf("a local directory: %v", err)
	}
	if err := refuseNetwork(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a directory that is not there passed")
	}
}

func TestNetworkPlaceHasAWayOut(t *testing.T) {
	err := openError("/mnt/nfs/weir.db", &placeError{"its directory is on NFS", "use a local disk"})
	var refused *OpenError
	if !errors.Is(err, ErrPlace) || !errors.As(err, &refused) || refused.Hint != "use a local disk" {
		t.Errorf("error is %#v", err)
	}
	if got, want := err.Error(), "open ledger /mnt/nfs/weir.db: its directory is on NFS: not a safe place for a ledger"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}
