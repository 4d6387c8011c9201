import { Page } from '../parts/page';

export function BoardPage() {
  return <Page title="Board">{null}</Page>;
}
