package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3Options say how a bucket is reached. Credentials come as the AWS SDK finds
// them: environment, shared files, the pod's role, the machine's.
type S3Options struct {
	Endpoint string // of another server than AWS's; "" for AWS
	Region   string // "" as the SDK finds it
	PartMB   int    // of an upload, in MiB; 32 where 0. S3 takes 10,000 parts at most
}

// An upload holds so many parts in memory at once, beside the one that is filled.
const uploadsAtOnce = 2

// bucket is a shelf on S3.
type bucket struct {
	client *s3.Client
	name   string
	prefix string // "" or ending with a slash
	part   int64
}

func newBucket(ctx context.Context, name, prefix string, o S3Options) (*bucket, error) {
	var load []func(*config.LoadOptions) error
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("configuration of AWS: %w", err)
	}
	client := s3.NewFromConfig(cfg, func(s *s3.Options) {
		// What is read is authenticated by age. A download that goes on in its middle
		// would be held against the checksum of the whole.
		s.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		if o.Endpoint != "" {
			s.BaseEndpoint = aws.String(o.Endpoint)
			s.UsePathStyle = true // other servers seldom have a name for each bucket
			if s.Region == "" {
				s.Region = "us-east-1" // they sign with something, and do not care
			}
		}
	})
	part := int64(o.PartMB) << 20
	if part == 0 {
		part = 32 << 20
	}
	return &bucket{client: client, name: name, prefix: prefix, part: part}, nil
}

func (b *bucket) Path(name string) string { return "s3://" + b.name + "/" + b.prefix + name }

// Put uploads in parts while write writes. The object appears when all are there;
// after an error the parts are taken back.
func (b *bucket) Put(ctx context.Context, name string, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, out := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(out)
		_ = out.CloseWithError(err) // never fails
		written <- err
	}()
	uploads := transfermanager.New(b.client, func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency, o.FailTimeout = b.part, b.part, uploadsAtOnce, 30*time.Second
	})
	_, err := uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: aws.String(b.name), Key: aws.String(b.prefix + name), Body: in, ContentType: aws.String("application/octet-stream"),
	})
	_ = in.CloseWithError(errors.Join(errUploadEnded, err)) // a writer that still writes ends
	if writeErr := <-written; writeErr != nil && !errors.Is(writeErr, errUploadEnded) {
		return writeErr
	}
	if err != nil {
		return fmt.Errorf("upload %s: %w", b.Path(name), err)
	}
	return nil
}

var errUploadEnded = errors.New("the upload has ended")

// Get reads an object; a connection that breaks is made again where it broke, as
// long as the object is still the same.
func (b *bucket) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &objectReader{ctx: ctx, bucket: b, key: b.prefix + name}
	return r, r.connect()
}

const maxReconnects = 5 // without a byte in between

type objectReader struct {
	ctx    context.Context //nolint:containedctx // of the one reading that this is
	bucket *bucket
	key    string
	etag   *string
	at     int64
	body   io.ReadCloser
	failed int
}

func (r *objectReader) connect() error {
	in := &s3.GetObjectInput{Bucket: aws.String(r.bucket.name), Key: aws.String(r.key), IfMatch: r.etag}
	if r.at > 0 {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", r.at))
	}
	out, err := r.bucket.client.GetObject(r.ctx, in)
	if err != nil {
		return fmt.Errorf("download s3://%s/%s: %w", r.bucket.name, r.key, err)
	}
	if r.etag != nil && aws.ToString(out.ETag) != *r.etag { // a server that does not know If-Match
		_ = out.Body.Close()
		return fmt.Errorf("download s3://%s/%s: it was replaced meanwhile", r.bucket.name, r.key)
	}
	r.body, r.etag = out.Body, out.ETag
	return nil
}

// Read gives the object's bytes.
func (r *objectReader) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.failed = 0
			if !errors.Is(err, io.EOF) {
				err = nil // a failure comes again
			}
			return n, err
		}
		if err == nil || errors.Is(err, io.EOF) || r.ctx.Err() != nil {
			return n, err
		}
		if r.failed++; r.failed > maxReconnects {
			return n, err
		}
		_ = r.body.Close()
		select {
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		case <-time.After(time.Duration(r.failed) * 200 * time.Millisecond):
		}
		if err := r.connect(); err != nil {
			return 0, err
		}
	}
}

// Close ends it.
func (r *objectReader) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}

func (b *bucket) List(ctx context.Context) ([]File, error) {
	var files []File
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: aws.String(b.name), Prefix: aws.String(b.prefix), Delimiter: aws.String("/")})
	for pages.HasMorePages() {
		some, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", b.Path(""), err)
		}
		for _, o := range some.Contents {
			files = append(files, File{strings.TrimPrefix(aws.ToString(o.Key), b.prefix), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)})
		}
	}
	return files, nil
}

func (b *bucket) Remove(ctx context.Context, name string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(b.name), Key: aws.String(b.prefix + name)})
	if err != nil {
		return fmt.Errorf("remove %s: %w", b.Path(name), err)
	}
	return nil
}
