import { Page } from '../parts/page';

export function PrintPage({ id, what }: { id: number; what: "ticket" | "receipt" }) {
  return <Page title="Print">{id} {what}</Page>;
}
