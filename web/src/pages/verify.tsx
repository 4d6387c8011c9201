import { Page } from '../parts/page';

export function VerifyPage() {
  return <Page title="Enter the code" class="narrow">{null}</Page>;
}
