// Package bucket makes destinations of object stores: a [Store] is a
// [land.Store] in an S3-compatible bucket, in Google Cloud Storage, or in Azure
// Blob Storage.
//
// # Places
//
//	s3://BUCKET/PREFIX?region=eu-central-1
//	s3://BUCKET/PREFIX?endpoint=https://minio.example.com&region=us-east-1
//	gs://BUCKET/PREFIX
//	azblob://CONTAINER/PREFIX?account=NAME
//
// Credentials never stand in a URL: one with user info, or with a parameter
// that is not named in [Parse], is refused. They come from where the cloud's own
// tools take them: environment, files of the user's home, the machine's role.
//
// # What is promised
//
// A file appears under its key whole or not at all, and never in the place of
// another one unless that was asked for. The store decides: every publication
// carries "only if there is none" as a condition of its own (If-None-Match: * on
// S3 and Azure, generation 0 on Google), after a look that spares the upload's
// end. A server of S3 that answers 501 to the condition is left with the look
// alone, and two writers of one key could then both believe to have won; of
// those that weir is tested with none does.
//
// # How a file gets there
//
// What fits in one part (8 MiB) is sent when it is published. Anything larger is
// sent part by part while it is written, one part on the way and one being
// filled, so that a file takes 16 MiB of memory whatever its size; 10,000 parts
// bound it at 80 GiB. Nobody sees the parts before the file is published.
//
// # What is left behind
//
// A file that is not published is aborted. Of a process that was killed, parts
// stay: on S3 an incomplete multipart upload (let a lifecycle rule with
// AbortIncompleteMultipartUpload end those of a day ago; they cost storage and are
// seen by nobody), on Azure uncommitted blocks (gone after a week by
// themselves), on Google an object below PREFIX/_tmp/ (let a lifecycle rule delete what is
// older than a day there). weir does not sweep them: other machines may be
// writing.
package bucket
