/* All addresses of the shop and what each shows. The menu and the cart come at once, the other
 * pages of customers in a file of their own, and so the staff's, when one of them is opened. */
import { LocationProvider, Route, Router, useLocation } from 'preact-iso/router';
import { ErrorBoundary } from 'preact-iso/lazy';
import { useEffect, useErrorBoundary } from 'preact/hooks';
import { type ComponentChildren, Fragment } from 'preact';
import { decoded } from './address';
import { Banners } from './parts/banners';
import { Header } from './parts/header';
import { NotShown, later } from './parts/later';
import { Loading } from './parts/load';
import { Notice } from './parts/notice';
import { numbered } from './parts/numbered';
import { Page } from './parts/page';
import { Toasts } from './parts/toasts';
import { loginAddress, me } from './state/session';
import { loadStyle } from './style';
import { CartPage } from './pages/cart';
import { MenuPage } from './pages/menu';
import { NotFoundPage } from './pages/not_found';

/* Who has chosen something goes on to these: fetched together, once the menu stands. */
const further = () => import('./pages/further');
const AccountPage = later(() => further().then((pages) => pages.AccountPage));
const CheckoutPage = later(() => further().then((pages) => pages.CheckoutPage));
const ForgotPage = later(() => further().then((pages) => pages.ForgotPage));
const LoginPage = later(() => further().then((pages) => pages.LoginPage));
const OrderPage = later(() => further().then((pages) => pages.OrderPage));
const OrdersPage = later(() => further().then((pages) => pages.OrdersPage));
const PayPage = later(() => further().then((pages) => pages.PayPage));
const ResetPage = later(() => further().then((pages) => pages.ResetPage));
const SignupPage = later(() => further().then((pages) => pages.SignupPage));
const VerifyPage = later(() => further().then((pages) => pages.VerifyPage));
const AdminPages = later(async () => {
  const [{ AdminPages: pages }] = await Promise.all([import('./admin/pages'), loadStyle('staff-style')]);
  return pages;
});

const FURTHER_AFTER_MS = 2000;
addEventListener('load', () => setTimeout(() => void further().catch(() => {}), FURTHER_AFTER_MS));

/* Only for those who are logged in; others log in and come back. */
function Private({ children }: { children: ComponentChildren }) {
  const { route, url } = useLocation();
  const nobody = me.value === null;
  useEffect(() => {
    if (nobody)
      route(loginAddress(url), true);
  }, [nobody]);
  return me.value ? <Fragment key={me.value.id}>{children}</Fragment> : <main class="page" id="main"><Loading /></main>;
}

function StaffOnly() {
  return (
    <Page title="For the staff" class="narrow">
      <Notice kind="bad">Only the people who run the shop can see this page. <a href="/">To the menu</a></Notice>
    </Page>
  );
}

function Admin() {
  return <Private>{me.value?.role === 'admin' ? <AdminPages /> : <StaffOnly />}</Private>;
}

const Cart = () => <CartPage />;
const Checkout = () => <Private><CheckoutPage /></Private>;
const Orders = () => <Private><OrdersPage /></Private>;
const Order = numbered((id) => <Private><OrderPage key={id} id={id} /></Private>);
const Pay = numbered((id) => <PayPage key={id} id={id} />);
const Account = () => <Private><AccountPage /></Private>;

/* A mistake of ours shall not leave a white page, and be over on the next one. */
function Safe({ children }: { children: ComponentChildren }) {
  const { url } = useLocation();
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  useEffect(() => {
    if (error)
      reset();
  }, [url]);
  return error ? <NotShown /> : <>{children}</>;
}

/* The router would stumble over an address that is no proper one, such as /orders/50%. */
function Routes() {
  const { path } = useLocation();
  if (path.split('/').some((part) => decoded(part) === null))
    return <NotFoundPage />;
  return (
    <Router>
      <Route path="/" component={MenuPage} />
      <Route path="/cart" component={Cart} />
      <Route path="/checkout" component={Checkout} />
      <Route path="/pay/:id" component={Pay} />
      <Route path="/orders" component={Orders} />
      <Route path="/orders/:id" component={Order} />
      <Route path="/login" component={LoginPage} />
      <Route path="/signup" component={SignupPage} />
      <Route path="/verify" component={VerifyPage} />
      <Route path="/forgot" component={ForgotPage} />
      <Route path="/reset" component={ResetPage} />
      <Route path="/account" component={Account} />
      <Route path="/admin" component={Admin} />
      <Route path="/admin/*" component={Admin} />
      <Route default component={NotFoundPage} />
    </Router>
  );
}

export function App() {
  return (
    <LocationProvider>
      <a class="skip" href="#main">Skip to the content</a>
      <Header />
      <Banners />
      <Safe>
        <ErrorBoundary>
          <Routes />
        </ErrorBoundary>
      </Safe>
      <Toasts />
    </LocationProvider>
  );
}
