// Certificates for tests, made by openssl at test time so that none is kept and none expires.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A self-signed certificate for `names` (subjectAltName), which is its own authority: whoever is to
// trust it gets certFile as the CA file. remove() deletes the directory.
export function makeCert(names = 'DNS:localhost,IP:127.0.0.1') {
  const dir = mkdtempSync(join(tmpdir(), 'servery-cert-'));
  const keyFile = join(dir, 'key.pem');
  const certFile = join(dir, 'cert.pem');
  execFileSync('openssl', [
    'req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=servery test',
    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-addext', `subjectAltName=${names}`, '-keyout', keyFile, '-out', certFile,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  return {
    keyFile,
    certFile,
    key: readFileSync(keyFile),
    cert: readFileSync(certFile),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
