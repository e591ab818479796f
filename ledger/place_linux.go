package ledger

import "golang.org/x/sys/unix"

// refuseNetwork refuses directories on network file systems: there the locks
// that keep two conductors apart do not hold, or not always.
func refuseNetwork(dir string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return unwritable(err)
	}
	if name := networkName(int64(uint32(stat.Type))); name != "" {
		return &placeError{"its directory is on " + name, "keep the ledger on a local disk, or use a PostgreSQL ledger"}
	}
	return nil
}

// networkName names the network file system with that statfs magic; "" for any
// other. FUSE counts as one: it may be sshfs or a bucket.
func networkName(magic int64) string {
	return map[int64]string{
		unix.NFS_SUPER_MAGIC:   "NFS",
		unix.SMB_SUPER_MAGIC:   "SMB",
		unix.SMB2_SUPER_MAGIC:  "SMB",
		unix.CIFS_SUPER_MAGIC:  "CIFS",
		unix.FUSE_SUPER_MAGIC:  "FUSE",
		unix.V9FS_MAGIC:        "9P",
		unix.AFS_SUPER_MAGIC:   "AFS",
		unix.AFS_FS_MAGIC:      "AFS",
		unix.CODA_SUPER_MAGIC:  "Coda",
		unix.CEPH_SUPER_MAGIC:  "Ceph",
		unix.NCP_SUPER_MAGIC:   "NCP",
		unix.OCFS2_SUPER_MAGIC: "OCFS2",
		0x01161970:             "GFS2",
		0x0bd00bd0:             "Lustre",
		0x47504653:             "GPFS",
	}[magic]
}
