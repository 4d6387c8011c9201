import { Page } from '../parts/page';

export function LoginPage() {
  return <Page title="Log in" class="narrow">{null}</Page>;
}
