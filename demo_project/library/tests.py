from datetime import date

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client, TestCase
from django.urls import reverse

from .models import Author, Book, Loan, Member


class LibraryTestCase(TestCase):
    fixtures = ["library"]

    @classmethod
    def setUpTestData(cls):
        cls.emma = Book.objects.get(title="Emma")
        cls.villette = Book.objects.get(title="Villette")
        cls.priya = Member.objects.get(name="Priya Nair")


class CollectionTests(LibraryTestCase):
    def test_enough_to_work_with(self):
        self.assertGreaterEqual(Author.objects.count(), 12)
        self.assertGreaterEqual(Book.objects.count(), 40)
        self.assertFalse(Author.objects.filter(books=None).exists())

    def test_years_are_those_of_print(self):
        self.assertFalse(Book.objects.exclude(year__range=(1450, 2025)).exists())

    def test_order_is_fixed(self):
        self.assertEqual(Book.objects.first().title, "A Christmas Carol")
        self.assertEqual(Author.objects.first().name, "Bram Stoker")
        self.assertEqual(Member.objects.first().name, "Amara Okafor")
        self.assertEqual(str(Loan.objects.first()), "Frankenstein to Amara Okafor")

    def test_loans_fall_due_after_they_begin(self):
        for loan in Loan.objects.all():
            self.assertLess(loan.borrowed, loan.due)
            self.assertLess(loan.borrowed, loan.returned or date.max)

    def test_a_book_is_out_once_at_most(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.villette.loans.create(
                member=self.priya, borrowed=date(2025, 6, 2), due=date(2025, 6, 23)
            )


class BookListTests(LibraryTestCase):
    def test_shows_every_book_in_one_query(self):
        with self.assertNumQueries(1):
            response = self.client.get(reverse("book-list"))
        self.assertContains(response, "Pride and Prejudice</a>, Jane Austen, 1813")
        self.assertEqual(len(response.context["books"]), Book.objects.count())


class AuthorListTests(LibraryTestCase):
    def test_counts_books(self):
        response = self.client.get(reverse("author-list"))
        self.assertContains(response, "Jane Austen: 4 books")
        self.assertContains(response, "Emily Brontë: 1 book<")


class BookDetailTests(LibraryTestCase):
    def test_markup_in_a_title_is_text(self):
        Book.objects.filter(pk=self.emma.pk).update(title="<b>Emma</b>")
        for page in (reverse("book-list"), self.emma.get_absolute_url()):
            response = self.client.get(page)
            self.assertContains(response, "&lt;b&gt;Emma&lt;/b&gt;")
            self.assertNotContains(response, "<b>Emma")

    async def test_shows_the_loans(self):
        response = await self.async_client.get(self.villette.get_absolute_url())
        self.assertContains(response, "<h1>Villette</h1>")
        self.assertContains(response, "Hannah Lindqvist, due May 27, 2025")

    async def test_unknown_book(self):
        response = await self.async_client.get(reverse("book-detail", args=[10_000]))
        self.assertEqual(response.status_code, 404)

    def test_under_wsgi_too(self):
        self.assertContains(self.client.get(self.emma.get_absolute_url()), "Jane Austen, 1815")


class OpenLoansTests(LibraryTestCase):
    async def test_lists_what_is_out(self):
        response = await self.async_client.get(reverse("open-loans"))
        loans = response.json()["loans"]
        self.assertEqual(len(loans), await Loan.objects.filter(returned=None).acount())
        self.assertEqual(
            loans[0], {"book": "Orlando", "member": "Tomoko Arai", "due": "2025-04-30"}
        )


class LendBookTests(LibraryTestCase):
    def lend(self, book, email, client=None):
        url = reverse("lend-book", args=[book.pk])
        return (client or self.client).post(url, {"member": email}, follow=True)

    def test_lends(self):
        response = self.lend(self.emma, self.priya.email)
        self.assertContains(response, "Emma is lent to Priya Nair.")
        self.assertTrue(self.emma.loans.filter(member=self.priya, returned=None).exists())

    def test_refuses_what_is_out(self):
        response = self.lend(self.villette, self.priya.email)
        self.assertContains(response, "Villette is out on loan.")
        self.assertFalse(self.villette.loans.filter(member=self.priya).exists())

    def test_unknown_member(self):
        self.assertEqual(self.lend(self.emma, "nobody@example.org").status_code, 404)

    def test_only_by_post(self):
        self.assertEqual(
            self.client.get(reverse("lend-book", args=[self.emma.pk])).status_code, 405
        )

    def test_only_with_the_csrf_token(self):
        strict = Client(enforce_csrf_checks=True)
        self.assertEqual(self.lend(self.emma, self.priya.email, strict).status_code, 403)


class AdminTests(LibraryTestCase):
    def test_every_list_and_form_opens(self):
        self.client.force_login(User.objects.create_superuser("librarian"))
        for model in ("author", "book", "member", "loan"):
            for page in (
                reverse(f"admin:library_{model}_changelist"),
                reverse(f"admin:library_{model}_change", args=[1]),
            ):
                with self.subTest(page=page):
                    self.assertEqual(self.client.get(page).status_code, 200)
