/* The customer's pages behind the menu and the cart: one file of the build. */
export { AccountPage } from './account';
export { CheckoutPage } from './checkout';
export { ForgotPage } from './forgot';
export { LoginPage } from './login';
export { OrderPage } from './order';
export { OrdersPage } from './orders';
export { PayPage } from './pay';
export { ResetPage } from './reset';
export { SignupPage } from './signup';
export { VerifyPage } from './verify';
