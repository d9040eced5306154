from django.urls import path

from . import views

urlpatterns = [
    path("", views.book_list, name="book-list"),
    path("authors/", views.AuthorList.as_view(), name="author-list"),
    path("books/<int:pk>/", views.book_detail, name="book-detail"),
    path("books/<int:pk>/lend/", views.lend_book, name="lend-book"),
    path("loans/", views.open_loans, name="open-loans"),
]
