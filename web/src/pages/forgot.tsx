import { Page } from '../parts/page';

export function ForgotPage() {
  return <Page title="Forgotten password" class="narrow">{null}</Page>;
}
