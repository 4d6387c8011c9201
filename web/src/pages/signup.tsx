import { Page } from '../parts/page';

export function SignupPage() {
  return <Page title="Create an account" class="narrow">{null}</Page>;
}
