import { Page } from '../parts/page';

export function ResetPage() {
  return <Page title="New password" class="narrow">{null}</Page>;
}
